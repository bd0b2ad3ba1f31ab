import Basics
package import Foundation
import MedicalImaging

/// A prediction and the reference it is scored against.
package struct ScorePair: Equatable, Sendable {
  let site: String
  let caseName: String
  /// nil if there is none: scored as if it were empty.
  let prediction: URL?
  let reference: URL

  init(site: String, caseName: String, prediction: URL?, reference: URL) {
    self.site = site
    self.caseName = caseName
    self.prediction = prediction
    self.reference = reference
  }

  /// The case's name across sites.
  var identifier: String { "\(site)/\(caseName)" }
}

/// The pairing of predictions with references.
package struct ScorePairs: Equatable, Sendable {
  /// The pairs by site and case; pairs without a prediction occur only if allowed.
  package let pairs: [ScorePair]
  let predictionsWithoutReference: [URL]

  var missing: [ScorePair] { pairs.filter { $0.prediction == nil } }

  /// A sentence for each scoring choice that may surprise the user.
  package var warnings: [String] {
    var sentences: [String] = []
    if !missing.isEmpty {
      sentences.append(
        "\(missing.count) of \(pairs.count) references have no prediction and are scored as misses: "
          + "\(listed(missing.map(\.identifier), atMost: 5)).")
    }
    if !predictionsWithoutReference.isEmpty {
      sentences.append(
        "\(counted(predictionsWithoutReference.count, "prediction")) without a reference, not scored: "
          + "\(listed(predictionsWithoutReference.map(\.path), atMost: 5)).")
    }
    return sentences
  }

  /// Pairs two files, or two folders by the paths of their files.
  ///
  /// Subfolders are sites. Extensions and mask suffixes (`_segmentation`, `_seg`, `_mask`, `_label`) do not matter.
  /// nnU-Net's `_0000` does not matter either if no other file can be meant. An image beside a reference is not taken
  /// for a reference.
  ///
  /// - Throws: `Refusal` if a path does not exist, a folder meets a file, or no file matches. Also if a reference
  ///   has no prediction, unless `allowMissing`.
  package init(prediction: URL, reference: URL, allowMissing: Bool = false) throws {
    let predictionIsFolder = try isFolder(prediction, .prediction)
    let referenceIsFolder = try isFolder(reference, .reference)
    guard predictionIsFolder == referenceIsFolder else {
      let kind = { (isFolder: Bool) in isFolder ? "a folder" : "a file" }
      throw Refusal(
        .input, "\(prediction.path) is \(kind(predictionIsFolder)) and \(reference.path) is \(kind(referenceIsFolder))",
        remedy: "give two folders or two files")
    }
    if predictionIsFolder {
      try self.init(predictions: prediction, references: reference, allowMissing: allowMissing)
    } else {
      self.init(file: prediction, against: reference)
    }
  }

  private init(file prediction: URL, against reference: URL) {
    let stem = volumeStem(reference) ?? reference.lastPathComponent
    let site = MaskFolder.siteName(of: reference.standardizedFileURL.deletingLastPathComponent())
    let caseName = caseNameOfMask(stem) ?? stem
    pairs = [ScorePair(site: site, caseName: caseName, prediction: prediction, reference: reference)]
    predictionsWithoutReference = []
  }

  private init(predictions: URL, references: URL, allowMissing: Bool) throws {
    let predicted = try MaskFolder(predictions, holdsReferences: false).masks
    let expected = try MaskFolder(references, holdsReferences: true).masks
    let site = MaskFolder.siteName(of: references)
    let partners = Self.partners(of: Set(expected.keys), among: Set(predicted.keys))
    pairs = expected.map { key, url in
      ScorePair(
        site: key.site.isEmpty ? site : key.site, caseName: key.caseName,
        prediction: partners[key].flatMap { predicted[$0] }, reference: url)
    }.sorted { ($0.site, $0.caseName) < ($1.site, $1.caseName) }
    let paired = Set(partners.values)
    predictionsWithoutReference = predicted.filter { !paired.contains($0.key) }.map(\.value)
      .sorted { $0.path < $1.path }
    guard !pairs.isEmpty else {
      throw Refusal(
        .input, references.path, "no masks were found",
        detail: "expected images (\(readableEndings.joined(separator: ", ")))")
    }
    guard missing.count < pairs.count else {
      throw Refusal(
        .input, predictions.path,
        "no file has the name of a reference in \(references.path) (\(listed(missing.map(\.identifier))))",
        detail: "expected the same names up to the ending and a suffix such as _segmentation")
    }
    guard missing.isEmpty || allowMissing else {
      throw Refusal(
        .input, predictions.path,
        "\(missing.count) of \(pairs.count) references have no prediction (\(listed(missing.map(\.identifier))))",
        remedy: "add them, or give \(Setting.allowMissing) to score them as misses")
    }
  }
}

extension ScorePairs {
  /// Finds the prediction of each reference by its name; else by that name with or without nnU-Net's suffix `_0000`.
  private static func partners(
    of references: Set<MaskFolder.Key>, among predictions: Set<MaskFolder.Key>
  ) -> [MaskFolder.Key: MaskFolder.Key] {
    let free = predictions.subtracting(references)
    let all = predictions.union(references)
    var partners: [MaskFolder.Key: MaskFolder.Key] = [:]
    for key in references {
      if predictions.contains(key) {
        partners[key] = key
        continue
      }
      let part = channelOfImage(key.caseName)
      let plain = part?.channel == 0 ? part?.name : nil
      partners[key] = [(name: key.caseName, partner: key.caseName + "_0000"), plain.map { (name: $0, partner: $0) }]
        .compactMap { $0 }
        // A second channel would show that these are images, not masks.
        .filter { !all.contains(key.named($0.name + "_0001")) }
        .map { key.named($0.partner) }.first(where: free.contains)
    }
    return partners
  }
}

extension MaskFolder.Key {
  fileprivate func named(_ caseName: String) -> Self { Self(site: site, caseName: caseName) }
}

private func isFolder(_ url: URL, _ option: Setting) throws -> Bool {
  try requireAccess(to: url)
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    throw Refusal(.input, url.path, "there is no such file or folder", remedy: "check \(option)")
  }
  return isFolder.boolValue
}
