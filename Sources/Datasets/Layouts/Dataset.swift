package import Basics
package import Foundation
package import MedicalImaging

/// The cases of a folder on disk, found by file names and headers; no volume is read.
package struct Dataset: Equatable, Sendable {
  /// The arrangement of the files.
  package enum Layout: String, Codable, Sendable {
    /// A folder a site, with `Case.nii.gz` + `Case_segmentation.nii.gz` pairs, or `all_list.txt` naming them.
    case sites
    /// `dataset.json` with `imagesTr` and `labelsTr`: Medical Segmentation Decathlon or nnU-Net. One site.
    case description
    /// One folder of pairs: one site named after it.
    case flat
  }

  package let folder: URL
  package let layout: Layout
  /// Sorted by site, then by name.
  package let cases: [Case]
  /// The labels' names, background included; empty if unknown.
  ///
  /// They come from `dataset.json`, from `prepared.json` if every site has one, or from DICOM segmentations.
  package let labelNames: [LabelValue: String]
  /// Tells whether `dataset.json` names the one modality CT, as Decathlon's and nnU-Net's data sets do.
  package var isCT: Bool { modalities.count == 1 && modalities[0].uppercased() == "CT" }
  /// Sites that `prepare --training` cropped by their labels; tests on them would profit from the cropping.
  package let croppedSites: [String]
  /// One name an image channel. Every case has as many images, in this order, or one file with all of them.
  package let modalities: [String]
  /// The number of images without a mask that were left out.
  package let unpairedCount: Int
  /// Files beside the cases that look like images and are not read.
  let unreadImages: UnreadImages
  private(set) var segmentNames = SegmentNames()

  /// The name of the file that names the labels.
  var labelNamesFile: String {
    if layout == .description { return "dataset.json" }
    return segmentNames.names.isEmpty ? PreparedSite.fileName : "a DICOM segmentation"
  }

  /// The sites, sorted.
  package var sites: [String] { Set(cases.map(\.site)).sorted() }

  /// Finds the cases in `folder`.
  ///
  /// - Parameters:
  ///   - requireMasks: whether an image without a mask is an error (training) or a case (prediction).
  ///   - skipUnpaired: whether to leave out images without a mask, rather than refuse or take them.
  ///   - modalityCount: the channels that a model takes; nil without one. Above 1, `Case_0000.nii.gz` and
  ///     `Case_0001.nii.gz` are one case if no mask or `dataset.json` tells.
  /// - Throws: `Refusal` for a folder or list that holds no usable cases.
  package init(
    contentsOf folder: URL, requireMasks: Bool = true, skipUnpaired: Bool = false, modalityCount: Int? = nil
  ) throws {
    try Dataset.requireFolder(folder)
    if requireMasks { try Dataset.requireWhole(folder) }
    let rule = PairingRule(requireMasks: requireMasks && !skipUnpaired, groupsChannels: (modalityCount ?? 1) > 1)
    self.folder = folder
    let (found, named): ([Case], [String]?)
    if FileManager.default.fileExists(atPath: folder.appendingPathComponent("dataset.json").path) {
      let description = try DatasetDescription(contentsOf: folder)
      layout = .description
      found = try description.cases(requireMasks: rule.requireMasks).sorted(by: Dataset.inOrder)
      unreadImages = try description.unreadImages()
      labelNames = description.labelNames
      croppedSites = []
      named = description.modalities
    } else {
      (layout, found, unreadImages) = try Dataset.folderCases(in: folder, rule)
      let sites = Set(found.map(\.site)).sorted()
      let prepared = try PreparedSite.all(
        in: layout == .flat ? [folder] : sites.map { folder.appendingPathComponent($0) })
      let isUnnamed = requireMasks && prepared.labelNames.isEmpty
      if isUnnamed { segmentNames = SegmentNames(of: found, in: folder) }
      labelNames = isUnnamed ? segmentNames.names : prepared.labelNames
      croppedSites = prepared.cropped
      named = nil
    }
    let paired = skipUnpaired ? found.filter { $0.mask != nil } : found
    unpairedCount = found.count - paired.count
    guard paired.count > 0 || found.isEmpty else {
      throw Refusal(
        .input, folder.path, "none of its \(counted(found.count, "image")) has a mask",
        remedy: "label some of them first")
    }
    let channels = try DatasetChannels(of: paired, named: named, count: modalityCount, in: folder)
    (cases, modalities) = (channels.cases, channels.names)
    try validate()
    unreadImages.report()
    if let conflict = segmentNames.conflict { Warnings.report(conflict) }
  }

  private static func requireFolder(_ folder: URL) throws {
    try requireAccess(to: folder)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw Refusal(.input, folder.path, "there is no such folder", remedy: "check the path of the data set")
    }
    guard isFolder.boolValue else {
      throw Refusal(.input, folder.path, "this is a file", remedy: "give the folder of the data set")
    }
  }

  /// Throws `Refusal` if the folder is one of the two in a data set: `imagesTr` or `labelsTr`.
  private static func requireWhole(_ folder: URL) throws {
    let folder = folder.standardizedFileURL
    let parts = ["imagesTr": "labelsTr", "labelsTr": "imagesTr"]
    let parent = folder.deletingLastPathComponent()
    guard let other = parts[folder.lastPathComponent],
      FileManager.default.fileExists(atPath: parent.appendingPathComponent(other).path)
    else { return }
    throw Refusal(
      .input, folder.path, "is one half of a data set, and \(other) beside it the other",
      remedy: "give the folder above, \(parent.path)")
  }

  /// Finds cases of the layouts `sites` and `flat`: pairs in `folder` itself or in its subfolders.
  private static func folderCases(
    in folder: URL, _ rule: PairingRule
  ) throws -> (Layout, [Case], UnreadImages) {
    let name = folder.standardizedFileURL.lastPathComponent
    var own = try PairFolder(folder)
    let all = try subfolders(of: folder).filter { !holdsSeries($0) }.map(PairFolder.init)
    // Beside sites, folders of DICOM files without a mask are originals.
    if own.holdsOnlySeries, !own.holdsPairs, all.contains(where: \.holdsPairs) { own = own.withoutVolumes }
    var unread = UnreadImages(in: folder)
    for part in [own] + all { unread.add(part.unreadImages) }
    var inside = all.filter { !$0.isEmpty }
    // Beside volumes, folders of pictures are overviews; beside folders of pairs, so are pictures without masks.
    let hasVolumes = own.holdsVolumes || inside.contains(where: \.holdsVolumes)
    if hasVolumes { inside.removeAll(where: \.holdsOnlyPictures) }
    let ownIsNothing =
      own.isEmpty
      || own.holdsOnlyPictures && (hasVolumes || !own.holdsPairs && inside.contains(where: \.holdsPairs))
    if ownIsNothing, inside.contains(where: { $0.url.lastPathComponent == "imagesTr" }) {
      throw Refusal(
        .input, folder.path, "holds imagesTr but no dataset.json",
        remedy: "add one with at least {\"labels\": {\"background\": 0, …}}")
    }
    if ownIsNothing {
      let cases = try inside.flatMap { try $0.cases(site: $0.url.lastPathComponent, rule) }
      return (.sites, cases.sorted(by: inOrder), unread)
    }
    let sites = inside.filter(\.holdsPairs).map(\.url.lastPathComponent)
    guard sites.isEmpty else {
      throw Refusal(
        .input, folder.path, "holds cases itself and in \(listed(sites))",
        remedy: "keep either folders of sites or one folder of pairs")
    }
    return (.flat, try own.cases(site: name, rule).sorted(by: inOrder), unread)
  }

  private static func subfolders(of folder: URL) throws -> [URL] {
    try entries(of: folder).filter { url in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
    }
  }

  /// Lists a folder, sorted, without hidden files.
  static func entries(of folder: URL) throws -> [URL] {
    try requireAccess(to: folder)
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { !$0.hasPrefix(".") }.sorted().map { folder.appendingPathComponent($0) }
    } catch {
      throw Refusal(
        .input, folder.path, "this folder cannot be read", remedy: "check that it exists and its permissions")
    }
  }

  private static func inOrder(_ a: Case, _ b: Case) -> Bool { (a.site, a.name) < (b.site, b.name) }
}

extension Dataset {
  /// A sentence on the images that were left out; nil if there are none.
  package var unpairedRemark: String? {
    guard unpairedCount > 0 else { return nil }
    return "\(counted(unpairedCount, "image")) without a mask \(unpairedCount == 1 ? "is" : "are") left out."
  }

  /// Keeps only the cases of some sites.
  ///
  /// - Throws: `Refusal` for a site without cases, naming the nearest site with some.
  package func restricted(to sites: [String], option: Setting) throws -> Dataset {
    for site in sites where !self.sites.contains(site) {
      throw Refusal(
        .input, "\(option)", "there is no site \"\(quoted(site))\" in \(folder.path)",
        detail: "the nearest is \"\(nearest(to: site, among: self.sites))\" of \(listed(self.sites, atMost: 20))")
    }
    return Dataset(self, cases: cases.filter { sites.contains($0.site) })
  }

  /// The warning for tests on cases of `croppedSites`; nil if there are none.
  ///
  /// - Parameter identifiers: the cases to test on.
  package func warning(ofTestsOn identifiers: [String]) -> String? {
    let tested = Set(identifiers)
    let sites = Set(cases.filter { tested.contains($0.identifier) }.map(\.site))
    let cropped = croppedSites.filter(sites.contains)
    guard !cropped.isEmpty else { return nil }
    return
      "cropped to their labelled slices by prepare \(Setting.training), so the scores are better than on whole "
      + "volumes: "
      + listed(cropped, atMost: 5) + "."
  }

  private init(_ whole: Dataset, cases: [Case]) {
    folder = whole.folder
    layout = whole.layout
    labelNames = whole.labelNames
    croppedSites = whole.croppedSites.filter { site in cases.contains { $0.site == site } }
    modalities = whole.modalities
    unreadImages = whole.unreadImages
    unpairedCount = whole.unpairedCount
    segmentNames = whole.segmentNames
    self.cases = cases
  }

  /// Requires cases, unique names that can name output files, and as many images a case as there are modalities.
  private func validate() throws {
    guard !cases.isEmpty else {
      if holdsDICOM(folder) {
        throw Refusal(
          .input, folder.path, "holds the DICOM files of one series, which are no data set",
          remedy:
            "give the folder above, with a mask beside each series such as Case03_segmentation.nii.gz beside Case03, "
            + "or segment the series with \(Verb.predict)")
      }
      let expected =
        "expected folders of sites with Case.nii.gz + Case_segmentation.nii.gz pairs (or an all_list.txt), a "
        + "dataset.json with imagesTr and labelsTr, or one folder of such pairs"
      let refusal = Refusal(.input, folder.path, "no cases were found", detail: expected)
      throw unreadImages.sentence.map(refusal.followed) ?? refusal
    }
    for (earlier, later) in zip(cases, cases.dropFirst()) where earlier.identifier == later.identifier {
      throw Refusal(
        .input, folder.path, "\(earlier.reference.path) and \(later.reference.path) are both case \(later.identifier)",
        remedy: "rename one of them")
    }
    for scan in cases {
      for name in [scan.site, scan.name] where !isSafeFileName(name) {
        throw Refusal(
          .input, folder.path, "\"\(quoted(name))\" cannot name output files",
          remedy: "use a name of up to 200 bytes without slashes, control characters and leading dots")
      }
      // The data check reports files of several channels, as well as those that cannot be read.
      guard scan.channelCount == modalities.count || scan.severalInOne != nil else {
        throw Refusal(
          .input, folder.path,
          "case \(scan.identifier) has \(counted(scan.images.count, "image file")), expected \(modalities.count) "
            + "(\(listed(modalities)))",
          remedy: "give every modality its own file, \(scan.name)_0000.nii.gz, \(scan.name)_0001.nii.gz and so on")
      }
    }
  }
}
