import Basics
import Foundation
import MedicalImaging

/// A `dataset.json` of the Medical Segmentation Decathlon or of nnU-Net.
///
/// Decathlon's has a `training` list. nnU-Net's has `channel_names`, `file_ending`, and names that follow the folders
/// `imagesTr` and `labelsTr`.
struct DatasetDescription {
  let labelNames: [LabelValue: String]
  let modalities: [String]
  private let folder: URL
  private let site: String
  private let fileEnding: String?
  private let training: [Any]

  private var url: URL { folder.appendingPathComponent("dataset.json") }

  init(contentsOf folder: URL) throws {
    let url = folder.appendingPathComponent("dataset.json")
    let json = try DatasetDescription.object(at: url)
    self.folder = folder
    let folderName = folder.standardizedFileURL.lastPathComponent
    site = (json["name"] as? String).flatMap { isSafeFileName($0) ? $0 : nil } ?? folderName
    labelNames = try LabelNames.parse(json["labels"], in: url)
    modalities = try DatasetDescription.modalities(json["channel_names"] ?? json["modality"], in: url)
    training = json["training"] as? [Any] ?? []
    fileEnding = json["file_ending"] as? String
    if let fileEnding, !readableEndings.contains(fileEnding.lowercased()) {
      throw Refusal(
        .input, url.path,
        "file_ending is \"\(quoted(fileEnding))\", expected one of \(listed(readableEndings, atMost: .max))",
        remedy: "convert the volumes")
    }
  }

  private static func object(at url: URL) throws -> [String: Any] {
    guard let data = contents(ofRegularFile: url) else {
      throw Refusal(.input, url.path, "cannot be read", remedy: "check its permissions")
    }
    guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw Refusal(
        .input, url.path, "is not a JSON object",
        detail: "expected name, labels, modality or channel_names, and training")
    }
    return json
  }

  /// Names by channel number: `{"0": "T2", "1": "ADC"}`.
  private static func modalities(_ value: Any?, in url: URL) throws -> [String] {
    guard let value else { return ["image"] }
    let names = value as? [String: Any] ?? [:]
    let ordered = (0..<names.count).compactMap { names[String($0)] as? String }
    guard !ordered.isEmpty, ordered.count == names.count else {
      throw Refusal(
        .input, url.path,
        "the modalities (modality or channel_names) must be named by the numbers 0, 1, …, for example {\"0\": \"MRI\"}")
    }
    return ordered
  }

  func cases(requireMasks: Bool) throws -> [Case] {
    guard training.isEmpty else {
      return try training.enumerated().map { try listedCase($1, number: $0 + 1, requireMasks) }
    }
    let rule = PairingRule(requireMasks: requireMasks, groupsChannels: true)
    var pairing = Pairing()
    for (url, stem) in try volumes(in: "imagesTr", required: true) { try pairing.add(image: url, stem: stem) }
    for (url, stem) in try volumes(in: "labelsTr", required: requireMasks) { try pairing.add(mask: url, name: stem) }
    return try pairing.cases(site: site, rule)
  }

  /// Finds unread images in both folders, also with other extensions than `file_ending`.
  ///
  /// None if a list of cases names the files.
  func unreadImages() throws -> UnreadImages {
    var unread = UnreadImages(in: folder)
    guard training.isEmpty else { return unread }
    for name in ["imagesTr", "labelsTr"] {
      let inside = folder.appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: inside.path) else { continue }
      let files = try Dataset.entries(of: inside)
      unread.add(UnreadImages(in: folder, among: files))
      if let fileEnding { unread.add(UnreadImages(in: folder, otherThan: fileEnding, among: files)) }
    }
    return unread
  }

  private func volumes(in name: String, required: Bool) throws -> [(url: URL, stem: String)] {
    let inside = folder.appendingPathComponent(name)
    if !required, !FileManager.default.fileExists(atPath: inside.path) { return [] }
    let files = try Dataset.entries(of: inside).compactMap { url -> (url: URL, stem: String)? in
      guard fileEnding.map({ url.lastPathComponent.hasSuffix($0) }) ?? true else { return nil }
      return volumeStem(url).map { (url, $0) }
    }
    return withoutSnapshots(files)
  }

  /// Reads an entry of Decathlon's list: `{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}`.
  private func listedCase(_ entry: Any, number: Int, _ requireMasks: Bool) throws -> Case {
    let fields = entry as? [String: Any]
    guard let image = fields?["image"] as? String ?? entry as? String,
      let name = volumeStem(URL(fileURLWithPath: image))
    else {
      throw Refusal(
        .input, url.path, "entry \(number) of training names no image file", detail: "expected \"image\" and \"label\"")
    }
    let label = fields?["label"] as? String
    guard label != nil || !requireMasks else {
      throw Refusal(
        .input, url.path, "entry \(number) of training (\(quoted(name))) has no \"label\"", remedy: "add its mask")
    }
    let mask = try label.map { try existing($0, number) }
    let single = resolvedPath(image, in: folder)
    let channels = modalities.indices.map { index in
      single.deletingLastPathComponent().appendingPathComponent(
        name + String(format: "_%04d", index) + single.lastPathComponent.dropFirst(name.count))
    }
    if !FileManager.default.fileExists(atPath: single.path),
      channels.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) })
    {
      return Case(name: name, site: site, images: channels, mask: mask)
    }
    return Case(name: name, site: site, images: [try existing(image, number)], mask: mask)
  }

  private func existing(_ path: String, _ number: Int) throws -> URL {
    let file = resolvedPath(path, in: folder)
    try requireAccess(to: file)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw Refusal(
        .input, url.path, "entry \(number) of training names \(file.path), which does not exist",
        remedy: "correct the entry or restore the file")
    }
    return file
  }
}

/// Reads `labels` of `dataset.json`, in both directions: `{"1": "liver"}` (Decathlon) and `{"liver": 1}` (nnU-Net).
extension LabelNames {
  static func parse(_ value: Any?, in url: URL) throws -> [LabelValue: String] {
    guard let value else { return [:] }
    guard let entries = value as? [String: Any] else {
      throw Refusal(.input, url.path, "labels must be an object such as {\"0\": \"background\", \"1\": \"liver\"}")
    }
    var names: [LabelValue: String] = [:]
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      let (label, name) = try entry(key, value, in: url)
      if name.lowercased() == "ignore" {
        throw Refusal(
          .input, url.path, "label \(label) is named \"\(name)\", which nnU-Net leaves out of the loss",
          detail: "that is not supported, so give these voxels a class and rename the label")
      }
      if let other = names.updateValue(name, forKey: label) {
        throw Refusal(
          .input, url.path, "label \(label) is both \"\(quoted(other))\" and \"\(quoted(name))\"", remedy: "keep one")
      }
    }
    return names
  }

  private static func entry(_ key: String, _ value: Any, in url: URL) throws -> (LabelValue, String) {
    if value is [Any] {
      throw Refusal(
        .input, url.path, "label \"\(quoted(key))\" is a region (a list of values)",
        detail: "regions are not supported, so give each value its own name and merge them with \(Setting.mergeLabels)")
    }
    if let number = value as? Int, let label = LabelValue(exactly: number) { return (label, key) }
    if let name = value as? String, let label = LabelValue(key) { return (label, name) }
    if let text = value as? String, let label = LabelValue(text) { return (label, key) }
    throw Refusal(
      .input, url.path, "label \"\(quoted(key))\" has no value from 0 to \(LabelValue.max)", remedy: "correct labels")
  }
}
