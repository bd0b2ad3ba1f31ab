import Basics
import Datasets
import DualNorm
import Foundation
import Hummingbird
import MedicalImaging
import Scores

/// The folder of images and labels, as clients of MONAI Label use it.
extension LabelService {
  /// The tag of labels: MONAI Label tells those of people from drafts.
  private static let tag = "final"

  func addDatastoreRoutes(to router: Router<ServedContext>) {
    router.get("datastore") { request, _ in try await datastore(request) }
    for path in ["datastore", "datastore/image"] as [RouterPath] {
      router.put(path) { request, _ in try await addImage(request) }
    }
    router.get("datastore/image") { request, _ in try await downloadImage(request) }
    router.head("datastore/image") { request, _ in try await checkImage(request) }
    router.get("datastore/image/info") { request, _ in
      _ = try await datastore().scan(request.required("image"))
      return Response.json([:])
    }
    router.put("datastore/label") { request, _ in try await saveLabel(request) }
    router.get("datastore/label") { request, _ in
      let file = try await label(request)
      return try Response.file(file, named: "label" + (volumeEnding(of: file) ?? ".dcm"))
    }
    router.head("datastore/label") { request, _ in
      _ = try await label(request)
      return Response(status: .ok)
    }
  }

  func datastoreStatus() async throws -> JSONText {
    let cases = try await store?.all() ?? [:]
    let labelled = cases.values.count(where: \.isLabelled)
    return [
      "total": .integer(cases.count), "completed": .integer(labelled),
      "label_tags": labelled == 0 ? [:] : [Self.tag: .integer(labelled)],
    ]
  }

  private func datastore(_ request: Request) async throws -> Response {
    let cases = try await datastore().all().sorted { $0.key < $1.key }
    switch request.query["output"] ?? "stats" {
    case "all":
      let objects = cases.map { identifier, scan -> (String, JSONText) in
        let ending = JSONText.string(volumeEnding(of: scan.reference) ?? ".nii.gz")
        let label: JSONText =
          scan.mask.map { [Self.tag: ["ext": .string(volumeEnding(of: $0) ?? ".dcm"), "info": [:]]] } ?? [:]
        return (identifier, ["image": ["ext": ending, "info": [:]], "labels": label])
      }
      return .json(["name": "DualNorm", "description": "", "objects": .object(objects)])
    case "train":
      return .json(
        .array(
          cases.filter { $0.value.isLabelled }.map { identifier, _ in
            ["image": .string(identifier), "label": .string(identifier)]
          }))
    case "stats": return .json(try await datastoreStatus())
    default: throw ServiceError.wrong("The parameter output is all, stats or train.")
    }
  }

  private func addImage(_ request: Request) async throws -> Response {
    let store = try datastore()
    let upload = try await uploads.form(of: request)
    guard let file = upload.files.first(where: { $0.field == "file" }) else {
      throw ServiceError.wrong("The form has no part named file, which holds the image.")
    }
    do {
      guard !isDICOM(file.url) else {
        throw ServiceError.wrong("DICOM files are no case by themselves; send the volume as NIfTI.")
      }
      // Whoever labels it next must be able to read it.
      _ = try Warnings.collecting { try upload.scan(ofFields: ["file"]).sources[0].geometry() }
      let given = volumeStem(URL(fileURLWithPath: file.givenName)) ?? file.givenName
      let parameters = try ClientParameters(json: upload.fields["params"])
      let identifier = try await store.add(
        file.url, as: request.query["image"].flatMap { $0.isEmpty ? nil : $0 } ?? given, site: parameters.text("site"))
      return .json(["image": .string(identifier)])
    } catch {
      throw ServiceError.of(error, hiding: upload.hidden)
    }
  }

  private func downloadImage(_ request: Request) async throws -> Response {
    let (file, name, owner) = try await datastore().download(request.required("image"), into: uploads.makeFolder)
    return try .file(file, named: name, keeping: owner)
  }

  private func checkImage(_ request: Request) async throws -> Response {
    let (file, _, _) = try await datastore().download(request.required("image"), into: uploads.makeFolder)
    if let asked = request.query["check_sum"], !asked.isEmpty {
      guard asked.split(separator: ":").last.map(String.init) == (try await hexadecimalDigest(of: file)) else {
        throw ServiceError.notFound("The image has other contents.")
      }
    }
    return Response(status: .ok)
  }

  private func label(_ request: Request) async throws -> URL {
    let query = request.query
    guard let identifier = query["label"] ?? query["image"], !identifier.isEmpty else {
      throw ServiceError.wrong("The request names no label; add ?label=… to its address.")
    }
    guard let mask = try await datastore().scan(identifier).mask else {
      throw ServiceError.notFound("The image has no label yet.")
    }
    return mask
  }

  /// Saves a label in the data set's values.
  ///
  /// 3D Slicer numbers its segments by their order and names them. A label without names has the values of the data set.
  private func saveLabel(_ request: Request) async throws -> Response {
    let store = try datastore()
    let identifier = try request.required("image")
    let upload = try await uploads.form(of: request)
    guard let file = upload.files.first(where: { $0.field == "label" }) else {
      throw ServiceError.wrong("The form has no part named label, which holds the mask.")
    }
    do {
      let parameters = try ClientParameters(json: upload.fields["params"])
      // 3D Slicer names the model that it shows.
      let named = try parameters.text("model").flatMap { models[$0] }
      guard let model = named ?? (haveOneLabelling ? order[0] : nil) else {
        throw ServiceError.wrong("The models of the server have different classes; name one as model in params.")
      }
      let labels = model.model.description.labels
      let mask = try await store.mask(in: file, of: identifier)
      let saved = try parameters.labelNumbers().map { try renumbered(mask, $0, labels) } ?? mask
      let classes = labels.classOfValue
      if let value = saved.histogram.enumerated().first(where: { $1 > 0 && classes[$0] == nil })?.offset {
        throw ServiceError.wrong(
          "The label has the value \(value), and the classes are \(described(labels)); name its segments like them.")
      }
      try await store.save(saved, of: identifier, withRoomFor: labels.largestFileValue)
      metrics.countLabel()
      return .json(["image": .string(identifier), "label": .string(identifier)])
    } catch {
      throw ServiceError.of(error, hiding: upload.hidden)
    }
  }

  private var haveOneLabelling: Bool {
    order.allSatisfy { $0.model.description.labels == order[0].model.description.labels }
  }

  /// - Throws: `ServiceError` for a segment whose name is no class of the model, or a voxel of no segment.
  private func renumbered(
    _ mask: LabelMap, _ segments: [(name: String, number: Int)], _ labels: LabelScheme
  ) throws -> LabelMap {
    var values = [LabelValue?](repeating: nil, count: Int(LabelValue.max) + 1)
    values[0] = 0
    let histogram = mask.histogram
    for (name, number) in segments where number <= Int(LabelValue.max) {
      guard let place = labels.names.firstIndex(of: name) else {
        guard histogram[number] > 0 else { continue }  // a segment without voxels is no harm
        throw ServiceError.wrong(
          "The label has a segment \"\(quoted(name))\", and the classes are \(described(labels)); name it like one.")
      }
      guard values[number] == nil else {
        throw ServiceError.wrong("Two entries of label_info have the idx \(number); give each segment its own.")
      }
      values[number] = labels.fileValue(ofClass: place + 1)
    }
    if let value = histogram.enumerated().first(where: { $1 > 0 && values[$0] == nil })?.offset {
      throw ServiceError.wrong("The label has the value \(value), which label_info does not name; name every segment.")
    }
    return LabelMap(voxels: mask.voxels.map { values[Int($0)]! }, geometry: mask.geometry)
  }

  private func described(_ labels: LabelScheme) -> String {
    listed(zip(labels.names, labels.groups).map { "\($0) (\($1[0]))" }, atMost: 12)
  }
}
