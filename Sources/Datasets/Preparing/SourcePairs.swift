import Basics
package import Foundation
import MedicalImaging

/// The images and masks of a source, in one folder or two, paired by file names alone.
package struct SourcePairs: Equatable, Sendable {
  /// Sorted by name, every one with a mask.
  package let cases: [Case]
  /// Cases whose image and mask share only a number, such as `PANCREAS_0001` and `label0001`.
  package let pairedByNumber: [Case]
  /// Images without a mask and masks without an image, left out; sorted by path.
  package let unpaired: [URL]

  /// Pairs files of one name, ignoring a mask's suffix such as `_segmentation`; then the rest by their last number.
  ///
  /// - Parameter skipUnpaired: whether to leave out files without a partner rather than refuse them.
  /// - Throws: `Refusal` for folders without pairs, files without a partner, and numbers that several files share.
  package init(images: URL, labels: URL, site: String, skipUnpaired: Bool = false) throws {
    var pairing = Pairing()
    for file in try SourcePairs.images(in: images) { try pairing.add(image: file.url, stem: file.stem) }
    for file in try SourcePairs.masks(in: labels) { try pairing.add(mask: file.url, name: file.name) }
    let byName = try pairing.matched(site: site)
    let byNumber = try NumberPairs(images: byName.images, masks: byName.masks, site: site)
    if !skipUnpaired { try byNumber.requireNoneLeft(images, labels) }
    pairedByNumber = byNumber.cases
    cases = (byName.cases + byNumber.cases).map(\.withSeries).sorted { $0.name < $1.name }
    unpaired = (Array(byNumber.images.values) + byNumber.masks.values).sorted { $0.path < $1.path }
    guard !cases.isEmpty else {
      throw Refusal(
        .input, "\(images.path) and \(labels.path)", "no image has a mask",
        detail: "expected NIfTI, NRRD or MetaImage volumes whose names are equal or end in one number, such as "
          + "img0001.nii.gz and label0001.nii.gz")
    }
    try requireUsableNames()
  }

  private func requireUsableNames() throws {
    for (earlier, later) in zip(cases, cases.dropFirst()) where earlier.name == later.name {
      throw Refusal(
        .input, "\(earlier.reference.path) and \(later.reference.path) are both case \(later.name)",
        remedy: "rename one of them")
    }
    if let scan = cases.first(where: { scan in scan.images.contains { $0.path == scan.mask?.path } }) {
      throw Refusal(
        .input, scan.reference.path, "is both image and mask",
        remedy: "give \(Setting.labels) the folder of the masks, or end their names in _segmentation")
    }
    for scan in cases where !isSafeFileName(scan.name) || caseNameOfMask(scan.name) != nil {
      throw Refusal(
        .input, scan.reference.path, "\"\(quoted(scan.name))\" cannot name a case",
        remedy: "rename it to at most 200 bytes without control characters, leading dots, and a mask's ending such as "
          + "_seg")
    }
  }

  /// All volumes, or only those not named as masks if any are.
  private static func images(in folder: URL) throws -> [(url: URL, stem: String)] {
    let all = try volumes(in: folder, .images, withSeries: true)
    let plain = all.filter { caseNameOfMask($0.stem) == nil }
    return plain.isEmpty ? all : plain
  }

  /// All volumes, or only those named as masks if any are.
  private static func masks(in folder: URL) throws -> [(url: URL, name: String)] {
    let all = try volumes(in: folder, .labels)
    let named = all.compactMap { file in caseNameOfMask(file.stem).map { (url: file.url, name: $0) } }
    return named.isEmpty ? all.map { (url: $0.url, name: $0.stem) } : named
  }

  /// - Parameter withSeries: whether folders of DICOM files count too.
  private static func volumes(
    in folder: URL, _ option: Setting, withSeries: Bool = false
  ) throws -> [(url: URL, stem: String)] {
    try requireAccess(to: folder)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw Refusal(.input, folder.path, "there is no such folder", remedy: "check \(option)")
    }
    let entries = try Dataset.entries(of: folder)
    let found = entries.filter { !isPicture($0) }.compactMap { url in
      withSeries && holdsDICOM(url)
        ? (url: url, stem: url.lastPathComponent) : volumeStem(url).map { (url: url, stem: $0) }
    }
    guard !found.isEmpty else {
      let isSeries = holdsDICOM(folder)
      let expected =
        isSeries
        ? withSeries ? "a folder for each series, named like its mask," : "NIfTI masks,"
        : "NIfTI, NRRD or MetaImage files" + (withSeries ? ", or folders of DICOM files," : "")
      throw Refusal(
        .input, folder.path, isSeries ? "holds DICOM files itself" : "holds no volumes",
        detail: "expected \(expected) for \(option)")
    }
    UnreadImages(in: folder, among: entries).report()
    return found
  }
}

/// Pairs by the last number in the names.
private struct NumberPairs {
  private(set) var cases: [Case] = []
  /// The unpaired images, by file name without extension.
  private(set) var images: [String: URL]
  private(set) var masks: [String: URL]

  init(images: [String: URL], masks: [String: URL], site: String) throws {
    self.images = images
    self.masks = masks
    let imagesByNumber = Dictionary(grouping: images.keys.filter { lastNumber($0) != nil }) { lastNumber($0)! }
    let masksByNumber = Dictionary(grouping: masks.keys.filter { lastNumber($0) != nil }) { lastNumber($0)! }
    for (number, maskNames) in masksByNumber.sorted(by: { $0.key < $1.key }) {
      guard let stems = imagesByNumber[number]?.sorted() else { continue }
      guard maskNames.count == 1, let name = commonCase(stems) else {
        let files = maskNames.count > 1 ? maskNames.map { masks[$0]! } : stems.map { images[$0]! }
        throw Refusal(
          .input, listed(files.map(\.path).sorted(), atMost: 2),
          "both names end in the number \(number), so it does not tell which image and mask belong together",
          remedy: "give each pair one name")
      }
      let mask = self.masks.removeValue(forKey: maskNames[0])
      let files = stems.compactMap { self.images.removeValue(forKey: $0) }
      cases.append(Case(name: name, site: site, images: files, mask: mask))
    }
  }

  func requireNoneLeft(_ imageFolder: URL, _ labelFolder: URL) throws {
    func refuse(_ left: [String: URL], _ what: String, _ partner: String) throws {
      guard !left.isEmpty else { return }
      throw Refusal(
        .input, listed(left.values.map(\.path).sorted()), what,
        remedy: "name \(partner) alike (up to the ending, or in the last number), or give \(Setting.skipUnpaired) to "
          + "leave such files out")
    }
    try refuse(images, "an image without its mask in \(labelFolder.path)", "the mask")
    try refuse(masks, "a mask without its image in \(imageFolder.path)", "the image")
  }
}

/// The name of the case whose image or channels these are; nil for several images.
private func commonCase(_ stems: [String]) -> String? {
  let channels = stems.compactMap(channelOfImage).filter { lastNumber($0.name) != nil }
  if channels.count == stems.count, Set(channels.map(\.name)).count == 1,
    channels.map(\.channel) == Array(stems.indices)
  {
    return channels[0].name
  }
  return stems.count == 1 ? stems[0] : nil
}

/// The last number in a name, without leading zeros; ignores nnU-Net's channel suffix if another number precedes it.
private func lastNumber(_ stem: String) -> String? {
  if let name = channelOfImage(stem)?.name, let number = lastNumber(name) { return number }
  let isDigit = { (character: Character) in character.isASCII && character.isNumber }
  guard let end = stem.lastIndex(where: isDigit) else { return nil }
  let start = stem[...end].lastIndex { !isDigit($0) }.map(stem.index(after:)) ?? stem.startIndex
  let digits = stem[start...end].drop { $0 == "0" }
  return digits.isEmpty ? "0" : String(digits)
}
