import Basics
import DualNorm
import Foundation
import MedicalImaging
import Scores

/// A model as MONAI Label's clients see it: they choose a pass by the model's name.
struct ProtocolModel: Sendable {
  let name: String
  let model: ServedModel
  let pass: Pass

  /// One for each pass, the final one first, since viewers choose the first; it has the model's own name.
  static func all(of models: [ServedModel]) -> [ProtocolModel] {
    models.flatMap { model in
      model.passes.reversed().map { pass in
        let isLast = pass == model.passes.last
        return ProtocolModel(name: isLast ? model.name : "\(model.name)_\(pass.rawValue)", model: model, pass: pass)
      }
    }
  }

  private var labels: LabelScheme { model.description.labels }

  /// The entry of `GET /info/`. Labels have the numbers of the answers' masks, in their order.
  var info: JSONText {
    var options: [(String, JSONText)] = []
    if !model.sites.isEmpty {
      options.append(("site", .array(([SegmentationWish.anotherSite] + model.sites).map { .string($0) })))
    }
    if model.adapts { options.append(("adapt", ["none", "case"])) }
    return [
      "type": "segmentation", "labels": numbers(of: Array(labels.names.indices)),
      "dimension": .integer(model.takesPictures ? 2 : 3),
      "description": .string("\(model.titles.heading(of: pass)) of \(model.summary)"), "config": .object(options),
    ]
  }

  /// Classes by their places among the labels, with the numbers that they have in answers.
  private func numbers(of places: [Int]) -> JSONText {
    .object(places.map { (labels.names[$0], .integer($0 + 1)) })
  }

  /// The labels of a mask that answers a request, 1 and up in the order of the classes.
  ///
  /// 3D Slicer names what it finds in a mask by the order of the labels. So only classes that were found are listed.
  func found(in numbered: LabelMap) -> JSONText {
    let histogram = numbered.histogram
    return numbers(of: labels.names.indices.filter { histogram[$0 + 1] > 0 })
  }

  /// The mask with classes numbered 1 and up.
  func numbered(_ mask: LabelMap) -> LabelMap {
    guard labels.groups.enumerated().contains(where: { Int($1[0]) != $0 + 1 }) else { return mask }
    let classes = labels.classOfValue
    return LabelMap(voxels: mask.voxels.map { LabelValue(classes[Int($0)] ?? 0) }, geometry: mask.geometry)
  }
}

/// The format and the values of a mask that answers a request.
struct AnswerFormat {
  let ending: String
  /// Tells whether classes keep the data set's values.
  let keepsValues: Bool
  let isCompressed: Bool

  /// - Throws: `ServiceError` for a format that is not written.
  init(_ parameters: ClientParameters, isPicture: Bool) throws {
    let asked = try parameters.text("result_extension")?.lowercased() ?? (isPicture ? ".png" : ".nii.gz")
    let ending = asked.hasPrefix(".") ? asked : ".\(asked)"
    // 3D Slicer asks for its own kind of NRRD, which any NRRD satisfies.
    self.ending = ending == ".seg.nrrd" ? ".nrrd" : ending
    guard [".nii.gz", ".nii", ".nrrd", ".png"].contains(self.ending), isPicture || self.ending != ".png" else {
      throw ServiceError.wrong("The result_extension is .nii.gz, .nii, .nrrd, or .png for a picture.")
    }
    keepsValues = try parameters.flag("restore_label_idx") ?? false
    isCompressed = try parameters.flag("result_compress") ?? true
  }

  func write(_ mask: LabelMap, withRoomFor largest: LabelValue, to file: URL) throws {
    if ending == ".nrrd" {
      try mask.writeNRRD(to: file, compressed: isCompressed)
    } else {
      try mask.write(to: file, withRoomFor: largest)
    }
  }
}
