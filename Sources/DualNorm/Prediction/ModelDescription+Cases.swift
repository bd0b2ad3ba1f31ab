import Basics
package import Datasets
import Foundation
package import MedicalImaging
import Scores

extension ModelDescription {
  /// Tells whether the final pass takes the true labels as its mask, so that only labelled cases can be segmented.
  package var needsReference: Bool { networks.contains { $0.dual?.maskSource == .reference } }

  /// - Throws: `Refusal` with a name for a model that cannot segment new volumes.
  package func requireNoReference(named name: String) throws {
    guard needsReference else { return }
    throw Refusal(
      .input, name,
      "its final pass sees the true mask (mask-source reference), which a volume to be segmented does not have",
      remedy: "use \(Verb.evaluate), or a model trained with \(Setting.maskSource) prediction")
  }

  /// The doubt that a model of nnU-Net's raises about DICOM series, whose rows it takes as they were stored: converters to
  /// NIfTI reverse rows.
  package func doubtOfRows(in scans: [Case]) -> String? {
    guard preparation.nnUNet != nil, preparation.orientation == nil,
      scans.contains(where: { $0.sources.contains(where: \.isSeries) })
    else { return nil }
    return
      "The model takes volumes as they are stored, and a DICOM series may be stored otherwise than its training's files; "
      + "import it with \(Setting.orientation), as \(Verb.check) reports it of these."
  }

  /// Reads a case and brings it onto the network's grid.
  ///
  /// - Parameter excluded: mask values to treat as background besides the model's own; unused if no mask is needed.
  /// - Throws: `Refusal` for files that cannot be used.
  package func prepared(_ scan: Case, excluding excluded: [LabelValue] = []) throws -> PreparedCase {
    let scan = try scan.counted(volumes: modalities.count > 1)
    try requireChannels(of: scan)
    guard !needsReference || scan.mask != nil else {
      throw Refusal(
        .input, scan.reference.path,
        "has no mask, and the model's final pass sees the true one (mask-source reference)",
        remedy: "add it, or take another \(Setting.maskSource)")
    }
    let volume = try PreparedVolume(
      reading: scan, scheme: needsReference ? labels.excluding(excluded) : nil,
      plan: preparation)
    return PreparedCase(source: scan, volume: volume)
  }

  /// Throws if the case does not have as many channels as the network takes.
  private func requireChannels(of scan: Case) throws {
    let wanted = "the model takes \(modalities.count) (\(modalities.joined(separator: ", ")))"
    let count = scan.channelCount
    guard count != modalities.count else { return }
    if scan.sources.count == 1, scan.isPicture {
      throw Refusal(
        .input, scan.reference.path,
        "is \(count == 1 ? "grey, so it has 1 channel" : "in colour, so it has \(count) channels"), and \(wanted)",
        remedy: "convert it, or use a model of such pictures")
    }
    throw Refusal(
      .input, scan.reference.path,
      scan.severalInOne == nil ? "has \(count) modalities, and \(wanted)" : "holds \(count) channels, and \(wanted)",
      remedy: scan.severalInOne == nil ? "give one file for each" : "give a file of these, or one file for each")
  }
}
