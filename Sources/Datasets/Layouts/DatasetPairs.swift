import Basics
package import Foundation
import MedicalImaging

/// The treatment of images without masks.
struct PairingRule {
  /// Tells whether an image without a mask is an error rather than a case.
  let requireMasks: Bool
  /// Tells whether `Case_0000` and `Case_0001` are channels of `Case` if no mask tells.
  let groupsChannels: Bool
}

/// Images and masks by case name, to be paired.
struct Pairing {
  /// Images by file name without extension, channel suffix included.
  private(set) var images: [String: URL] = [:]
  /// Masks by case name.
  private(set) var masks: [String: URL] = [:]

  mutating func add(image url: URL, stem: String) throws { try Pairing.add(url, stem, to: &images) }

  mutating func add(mask url: URL, name: String) throws { try Pairing.add(url, name, to: &masks) }

  private static func add(_ url: URL, _ name: String, to files: inout [String: URL]) throws {
    if let other = files.updateValue(url, forKey: name) {
      throw Refusal(.input, url.path, "\(other.lastPathComponent) is the same case", remedy: "keep one of the two")
    }
  }

  /// Pairs each mask with the image of its name or else with that name's channels in order.
  func cases(site: String, _ rule: PairingRule) throws -> [Case] {
    let (cases, left, loneMasks) = try matched(site: site)
    let lone = loneMasks.sorted { $0.key < $1.key }.map(\.value)
    guard lone.isEmpty else {
      throw Refusal(
        .input, listed(lone.map(\.path)), "a mask without its image",
        remedy: "add the image under the mask's name or move the mask away")
    }
    guard !rule.requireMasks || left.isEmpty else {
      throw Refusal(
        .input, listed(left.values.map(\.path).sorted()), "an image without its mask",
        remedy:
          "add the mask, named like the image with _segmentation (or in labelsTr), move the image away, or leave such "
          + "images out (\(Setting.skipUnpaired))")
    }
    return try cases + masklessCases(left, site: site, rule)
  }

  /// The pairs, and by name the images and masks that have no partner.
  func matched(site: String) throws -> (cases: [Case], images: [String: URL], masks: [String: URL]) {
    var (left, lone) = (images, [String: URL]())
    var cases: [Case] = []
    for (name, mask) in masks.sorted(by: { $0.key < $1.key }) {
      let found = try left.removeValue(forKey: name).map { [$0] } ?? takeChannels(of: name, from: &left)
      if found.isEmpty {
        lone[name] = mask
      } else {
        cases.append(Case(name: name, site: site, images: found, mask: mask))
      }
    }
    return (cases, left, lone)
  }

  private func masklessCases(_ images: [String: URL], site: String, _ rule: PairingRule) throws -> [Case] {
    // Colour images frame_0000, frame_0001 and so on are pictures, not channels.
    let areFrames = images.contains { stem, url in
      (channelOfImage(stem)?.channel ?? 0) > 0 && isColourPicture(url)
    }
    var left = images
    var cases: [Case] = []
    for stem in images.keys.sorted() where left[stem] != nil {
      if rule.groupsChannels, !areFrames, let name = channelOfImage(stem)?.name {
        cases.append(Case(name: name, site: site, images: try takeChannels(of: name, from: &left), mask: nil))
      } else if let image = left.removeValue(forKey: stem) {
        cases.append(Case(name: stem, site: site, images: [image], mask: nil))
      }
    }
    return cases
  }

  /// Removes and returns `name_0000`, `name_0001`, …; throws `Refusal` if one is missing in between.
  private func takeChannels(of name: String, from left: inout [String: URL]) throws -> [URL] {
    let channels = left.keys.compactMap { stem in channelOfImage(stem).map { (stem: stem, part: $0) } }
      .filter { $0.part.name == name }.sorted { $0.part.channel < $1.part.channel }
    return try channels.enumerated().compactMap { index, channel in
      let url = left.removeValue(forKey: channel.stem)
      guard channel.part.channel == index else {
        let missing = String(format: "%04d", index)
        throw Refusal(
          .input, url?.path ?? name, "\(name)_\(missing) is missing",
          detail: "the modalities of a case are numbered from 0000 without gaps")
      }
      return url
    }
  }
}

/// A folder of image and mask pairs: the content of a site or of a flat data set.
struct PairFolder {
  let url: URL
  private let list: URL?
  private var volumes: [(url: URL, stem: String)]
  let unreadImages: UnreadImages

  init(_ url: URL) throws {
    let entries = try Dataset.entries(of: url)
    self.url = url
    list = entries.first { $0.lastPathComponent == "all_list.txt" }
    let files = entries.compactMap { entry in volumeStem(entry).map { (url: entry, stem: $0) } }
    // Beside images in files, series are their originals, unless a mask is named like one.
    let holdsImages = files.contains { caseNameOfMask($0.stem) == nil && !isPicture($0.url) }
    let found = entries.compactMap { entry in dicomStem(entry).map { (url: entry, stem: $0) } }
    let masks = Set((files + found).compactMap { caseNameOfMask($0.stem) })
    let names = Set(files.map { caseNameOfMask($0.stem) ?? $0.stem })
    let series = found.filter { entry in
      let name = caseNameOfMask(entry.stem) ?? entry.stem
      return !holdsImages || masks.contains(name) && !names.contains(name)
    }
    let all = files + series
    volumes = withoutSnapshots(all)
    let others = entries.filter { entry in !series.contains { $0.url == entry } }
    unreadImages = UnreadImages(in: url, among: others, passedOver: Self.patients(all, otherThan: volumes))
  }

  /// The dropped files that look like other patients: no kept volume shares their name.
  private static func patients(
    _ all: [(url: URL, stem: String)], otherThan kept: [(url: URL, stem: String)]
  ) -> [URL] {
    func name(_ stem: String) -> String { caseNameOfMask(stem) ?? stem }
    let (paths, names) = (Set(kept.map(\.url)), kept.map { name($0.stem) })
    return all.filter { file in
      !paths.contains(file.url) && !names.contains { name(file.stem).hasPrefix($0) || $0.hasPrefix(name(file.stem)) }
    }.map(\.url)
  }

  var isEmpty: Bool { list == nil && volumes.isEmpty }

  var holdsOnlyPictures: Bool { list == nil && !volumes.isEmpty && volumes.allSatisfy { isPicture($0.url) } }

  /// Tells whether all its images are folders of DICOM files.
  var holdsOnlySeries: Bool { list == nil && !volumes.isEmpty && volumes.allSatisfy { holdsSeries($0.url) } }

  var withoutVolumes: PairFolder {
    var result = self
    result.volumes = []
    return result
  }

  var holdsVolumes: Bool { volumes.contains { !isPicture($0.url) } }

  var holdsPairs: Bool { list != nil || volumes.contains { caseNameOfMask($0.stem) != nil } }

  /// The listed cases or, without a list, those whose files lie here.
  func cases(site: String, _ rule: PairingRule) throws -> [Case] {
    if let list {
      return try CaseList(contentsOf: list).cases(site: site, requireMasks: rule.requireMasks).map(\.withSeries)
    }
    var pairing = Pairing()
    for volume in volumes {
      if let name = caseNameOfMask(volume.stem) {
        try pairing.add(mask: holdsSeries(volume.url) ? onlySegmentation(in: volume.url) : volume.url, name: name)
      } else {
        try pairing.add(image: volume.url, stem: volume.stem)
      }
    }
    for folder in volumes where caseNameOfMask(folder.stem) == nil {
      // Folders that are channels of one case have one mask.
      let name = channelOfImage(folder.stem)?.name ?? folder.stem
      let isChannel = volumes.contains { $0.stem != folder.stem && channelOfImage($0.stem)?.name == name }
      guard pairing.masks[folder.stem] == nil, pairing.masks[name] == nil, let mask = try segmentation(in: folder.url)
      else { continue }
      try pairing.add(mask: mask, name: isChannel ? name : folder.stem)
    }
    return try pairing.cases(site: site, rule).map(\.withSeries)
  }

  private func onlySegmentation(in folder: URL) throws -> URL {
    if let mask = try segmentation(in: folder) { return mask }
    throw Refusal(
      .input, folder.path, "is named like a mask and holds DICOM files that are no segmentation",
      remedy: "give it another name, or put a segmentation there")
  }

  /// The DICOM segmentation in a folder of DICOM files; nil without one.
  private func segmentation(in folder: URL) throws -> URL? {
    guard holdsSeries(folder) else { return nil }
    let found = try Dataset.entries(of: folder).filter(DICOMSegmentation.isOne)
    guard found.count <= 1 else {
      throw Refusal(
        .input, folder.path, "holds \(found.count) segmentations (\(listed(found.map(\.lastPathComponent))))",
        remedy: "keep one, or name one \(folder.lastPathComponent)_segmentation.dcm and put it beside the folder")
    }
    return found.first
  }
}

/// The case or mask name of a folder of DICOM files, or of a DICOM file named like a mask; nil for others.
private func dicomStem(_ url: URL) -> String? {
  if holdsSeries(url) { return url.lastPathComponent }
  let stem = url.deletingPathExtension().lastPathComponent
  return url.pathExtension.lowercased() == "dcm" && caseNameOfMask(stem) != nil ? stem : nil
}

/// Tells whether a folder itself holds DICOM files other than those named like masks, and no image in another format.
package func holdsSeries(_ folder: URL) -> Bool {
  guard holdsDICOM(folder), let entries = try? Dataset.entries(of: folder) else { return false }
  let holdsVolumes = entries.contains { volumeStem($0) != nil && !isPicture($0) }
  return !holdsVolumes
    && entries.contains { isDICOM($0) && caseNameOfMask($0.deletingPathExtension().lastPathComponent) == nil }
}
