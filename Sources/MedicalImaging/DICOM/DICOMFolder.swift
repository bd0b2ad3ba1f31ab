public import Basics
public import Foundation

/// Tells whether a folder itself holds DICOM files; subfolders do not count.
public func holdsDICOM(_ folder: URL) -> Bool {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
    return false
  }
  return ((try? entries(of: folder)) ?? []).contains { isRegular($0) && isDICOM($0) }
}

/// The refusal of a single DICOM file, which is no volume; nil for folders and other files.
public func faultOfSingleDICOM(_ url: URL) -> Refusal? {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue, isDICOM(url)
  else { return nil }
  do {
    if let fault = try DICOMSlice(url).fault { return fault }
  } catch {
    return error as? Refusal ?? Refusal(.image, sentence: "\(error)")
  }
  return Refusal(
    .image, url.path, "is one file of a DICOM series",
    remedy: "give its folder, \(url.deletingLastPathComponent().path)")
}

/// The DICOM series of the files in a folder.
struct DICOMFolder {
  let url: URL
  /// The series of images, or all if there are none, ascending by number, then by UID.
  let series: [[DICOMSlice]]

  /// - Throws: `Refusal` for a folder without DICOM files, or with a damaged one.
  init(_ url: URL) throws {
    self.url = url
    // A DICOMDIR lists the other files.
    let names = try files(in: url).filter { file in
      if let denial = accessDenial(of: file, .image) { throw denial }
      return isDICOM(file) && file.lastPathComponent.uppercased() != "DICOMDIR"
    }
    let slices = try names.map(DICOMSlice.init)
    let all = Dictionary(grouping: slices, by: \.series).values.sorted {
      ($0[0].seriesNumber ?? .max, $0[0].series) < ($1[0].seriesNumber ?? .max, $1[0].series)
    }
    let images = all.filter { $0.contains(where: \.isImage) }
    series = images.isEmpty ? all : images
    guard !series.isEmpty else {
      throw Refusal(
        .image, url.path, "holds no DICOM images", remedy: "give another folder")
    }
  }

  /// Chooses the only series, or the one with a number, UID or beginning of a UID.
  ///
  /// - Throws: `Refusal` listing the series if the choice matches none or several.
  func chosen(_ choice: String?) throws -> [DICOMSlice] {
    guard let choice else {
      guard series.count == 1 else {
        throw Refusal(
          .image, url.path, "holds \(series.count) series: \(list(series))",
          remedy: "choose one by its number or UID (\(Setting.series) of predict), or keep one a folder")
      }
      return series[0]
    }
    let exact = series.filter { $0[0].series == choice }
    let numbered = series.filter { $0[0].seriesNumber != nil && $0[0].seriesNumber == Int(choice) }
    let begun = series.filter { !choice.isEmpty && $0[0].series.hasPrefix(choice) }
    let found = [exact, numbered, begun].first { !$0.isEmpty } ?? []
    guard found.count == 1 else {
      let what = found.isEmpty ? "no such series in" : "several such series in"
      throw Refusal(
        .image, "\(Setting.series) \(inOneLine(choice))",
        "there \(found.isEmpty ? "is" : "are") \(what) \(url.path), which holds "
          + "\(list(found.isEmpty ? series : found))", remedy: "give a number, or a UID up to where it differs")
    }
    return found[0]
  }

  /// Describes series in a list: `number 3 "T1post" (MR, 22 slices, UID 1.3.6.1)`.
  private func list(_ series: [[DICOMSlice]]) -> String {
    let names = series.prefix(20).map { slices in
      let first = slices[0]
      let number = first.seriesNumber.map { "number \($0)" } ?? "without a number"
      let text = first.seriesDescription.isEmpty ? "" : " \"\(first.seriesDescription)\""
      let count = slices.count == 1 ? "1 slice" : "\(slices.count) slices"
      return "\(number)\(text) (\(first.modality), \(count), UID \(inOneLine(first.series)))"
    }
    let more = series.count > names.count ? " and \(series.count - names.count) more" : ""
    return names.joined(separator: ", ") + more
  }
}

/// The files of a folder, sorted by name, without hidden ones.
private func files(in folder: URL) throws -> [URL] { try entries(of: folder).filter(isRegular) }

/// The contents of a folder, sorted by name, without hidden ones.
private func entries(of folder: URL) throws -> [URL] {
  do {
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
      .map { folder.appendingPathComponent($0) }
  } catch {
    throw Refusal(.image, folder.path, "this folder cannot be read", remedy: "check its permissions")
  }
}

/// Tells whether a path leads to a file that is no folder, pipe or device.
private func isRegular(_ url: URL) -> Bool {
  let attributes = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)
  return attributes?[.type] as? FileAttributeType == .typeRegular
}

/// Tells whether a file is DICOM by its first bytes or, since these may be damaged, by its extension.
package func isDICOM(_ url: URL) -> Bool {
  if ["dcm", "dicom", "ima"].contains(url.pathExtension.lowercased()) { return true }
  guard ImageFormat.byName(url) == nil, let file = try? FileHandle(forReadingFrom: url) else { return false }
  defer { try? file.close() }
  return ((try? file.read(upToCount: 132)) ?? Data()).withUnsafeBytes(DICOMStructure.isDICOM)
}
