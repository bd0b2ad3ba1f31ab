import Basics
package import Foundation
import MedicalImaging

extension DataRepair {
  /// - Throws: `Refusal` for an output that lies in the data set, is a file, or is not empty.
  package static func requireRoom(in output: URL, beside data: URL) throws {
    let (own, other) = (Self.real(output), Self.real(data))
    guard own != other, !own.hasPrefix(other + "/") else {
      throw Refusal(
        .input, "\(Setting.fix) \(output.path)", "lies in the data set \(data.path), which is never changed",
        remedy: "give a folder outside of it")
    }
    var isFolder: ObjCBool = false
    try requireMakeable(output, option: .fix)
    guard FileManager.default.fileExists(atPath: output.path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw Refusal(.input, output.path, "is a file", remedy: "give a folder for \(Setting.fix)")
    }
    guard try FileManager.default.contentsOfDirectory(atPath: output.path).isEmpty else {
      throw Refusal(
        .input, output.path, "is not empty", remedy: "give a new folder for \(Setting.fix), or delete this one first")
    }
  }

  private static func real(_ url: URL) -> String { url.standardizedFileURL.resolvingSymlinksInPath().path }

  /// Writes the copy as folders of sites, or with a `dataset.json`, which names the labels, if the source has one.
  ///
  /// The folder appears once it is complete, or not at all.
  ///
  /// - Parameter progress: receives each case before it is written; an error thrown by it ends the work.
  /// - Throws: the errors of `requireRoom` and of reading and writing volumes.
  package func write(to output: URL, progress: (Case) throws -> Void = { _ in }) throws {
    try DataRepair.requireRoom(in: output, beside: dataset.folder)
    let output = output.standardizedFileURL
    let partial = try PartialPath(folder: output)
    for step in steps {
      try progress(step.scan)
      try write(step, to: partial.url)
    }
    try dataset.layout == .description ? writeDescription(in: partial.url) : writeLists(in: partial.url)
    _ = rmdir(output.path)  // an existing folder is empty here
    try partial.rename(to: output)
  }

  private func write(_ step: Step, to folder: URL) throws {
    let scan = step.scan
    for (index, source) in scan.sources.enumerated() {
      let url = source.url
      let target = place(of: scan, channel: index, in: folder)
      guard step.turn != nil || step.grid != nil && index > 0 || !isCopied(url) else {
        try copy(url, to: target)
        continue
      }
      guard var images = try readable(url, { try source.channels() }) else {
        if source.isSeries { try copyFiles(in: url, to: target) } else { try copy(url, to: target) }
        continue
      }
      for place in images.indices {
        if let grid = step.grid { images[place] = images[place].onGrid(grid) }
        if let turn = step.turn { images[place] = images[place].reoriented(to: turn) }
      }
      try writeChannelsCompactly(images, to: target.appendingPathExtension("nii.gz"))
    }
    guard let url = scan.mask else { return }
    let target = placeOfMask(of: scan, in: folder)
    // A mask of a series may have its rows in the other order.
    let isRead = step.turn != nil || step.grid != nil || !isCopied(url) || scan.sources[0].isSeries
    guard isRead else { return try copy(url, to: target) }
    guard var mask = try readable(url, { try scan.labels()! }) else { return try copy(url, to: target) }
    if let grid = step.grid { mask = mask.onGrid(grid) }
    if let turn = step.turn { mask = mask.reoriented(to: turn) }
    try mask.write(to: target.appendingPathExtension("nii.gz"))
  }

  /// Reads a file; nil if it is unreadable, which the check has found too. Such a file is copied as it is.
  private func readable<Contents>(_ url: URL, _ body: () throws -> Contents) throws -> Contents? {
    do { return try body() } catch let error as Refusal where error.kind == .image { return nil }
  }

  /// The path of a channel's file without its extension.
  private func place(of scan: Case, channel: Int, in folder: URL) -> URL {
    let isDescribed = dataset.layout == .description
    let isNumbered = isDescribed ? scan.isPicture || scan.severalInOne == nil : scan.sources.count > 1
    let name = scan.name + (isNumbered ? String(format: "_%04d", channel) : "")
    return folder.appendingPathComponent("\(isDescribed ? "imagesTr" : scan.site)/\(name)")
  }

  private func placeOfMask(of scan: Case, in folder: URL) -> URL {
    folder.appendingPathComponent(
      dataset.layout == .description ? "labelsTr/\(scan.name)" : "\(scan.site)/\(scan.name)_segmentation")
  }

  /// Copies a folder of DICOM files that cannot be read, so that the copy has the fault too.
  private func copyFiles(in folder: URL, to target: URL) throws {
    for file in try Dataset.entries(of: folder) where isDICOM(file) {
      try copyAtomically(file, to: target.appendingPathComponent(file.lastPathComponent))
    }
  }

  /// Copies a file, or the file that a link leads to, byte by byte; keeps the extension.
  private func copy(_ url: URL, to target: URL) throws {
    let ending = isDICOM(url) ? ".dcm" : url.lastPathComponent.dropFirst((volumeStem(url) ?? "").count)
    let target = URL(fileURLWithPath: target.path + ending)
    try copyAtomically(url, to: target)
  }

  /// Writes the files beside the cases: `prepared.json`, and the lists of sites that need them.
  ///
  /// A site needs one if a patient's name differs from its case's, or an image is named like a mask.
  private func writeLists(in folder: URL) throws {
    for (site, scans) in Dictionary(grouping: steps.map(\.scan), by: \.site) {
      let own = folder.appendingPathComponent(site)
      let source = dataset.layout == .flat ? dataset.folder : dataset.folder.appendingPathComponent(site)
      let prepared = source.appendingPathComponent(PreparedSite.fileName)
      if let data = try? Data(contentsOf: prepared) {
        try writeAtomically(data, to: own.appendingPathComponent(PreparedSite.fileName))
      }
      guard scans.contains(where: { $0.patient != $0.name || caseNameOfMask($0.name) != nil }),
        scans.allSatisfy({ $0.images.count == 1 })
      else { continue }
      let files = Set(try FileManager.default.contentsOfDirectory(atPath: own.path))
      func file(_ stem: String) -> String { files.first { volumeStem(URL(fileURLWithPath: $0)) == stem } ?? "" }
      let lines = scans.map { "\(file($0.name)),\(file("\($0.name)_segmentation")),\($0.patient)\n" }
      try writeAtomically(Data(lines.joined().utf8), to: own.appendingPathComponent("all_list.txt"))
    }
  }

  /// Writes the source's `dataset.json` without its list of files.
  private func writeDescription(in folder: URL) throws {
    let url = dataset.folder.appendingPathComponent("dataset.json")
    guard var json = try? JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] else {
      throw Refusal(.input, url.path, "cannot be read any more", remedy: "check that the data set is still there")
    }
    for key in ["training", "test", "numTest", "file_ending"] { json[key] = nil }
    json["numTraining"] = steps.count
    json["name"] = steps.first?.scan.site
    let data = try JSONSerialization.data(withJSONObject: json, options: [.prettyPrinted, .sortedKeys])
    try writeAtomically(data + Data("\n".utf8), to: folder.appendingPathComponent("dataset.json"))
  }
}

extension Volume {
  /// The same voxels under another header.
  fileprivate func onGrid(_ grid: Geometry) -> Volume { Volume(voxels: voxels, geometry: grid, noData: noData) }
}
