import Foundation
import MedicalImaging

/// The file name without a readable image's extension, `Case03` of `Case03.nii.gz`; nil for other files.
public func volumeStem(_ url: URL) -> String? {
  let name = url.lastPathComponent
  for ending in readableEndings where name.lowercased().hasSuffix(ending) && name.count > ending.count {
    return String(name.dropLast(ending.count))
  }
  return nil
}

/// Without the pictures where there are volumes, to which they are overviews or snapshots.
func withoutSnapshots(_ files: [(url: URL, stem: String)]) -> [(url: URL, stem: String)] {
  let volumes = files.filter { !isPicture($0.url) }
  return volumes.isEmpty ? files : volumes
}

/// `Case03` of `Case03_segmentation`; nil for a name that is no mask's.
func caseNameOfMask(_ stem: String) -> String? {
  for suffix in ["_segmentation", "_seg", "_mask", "_label"] where stem.hasSuffix(suffix) && stem.count > suffix.count {
    return String(stem.dropLast(suffix.count))
  }
  return nil
}

/// nnU-Net's channel suffix: (`Case`, 1) of `Case_0001`; nil without one.
public func channelOfImage(_ stem: String) -> (name: String, channel: Int)? {
  let digits = stem.suffix(4)
  guard stem.utf8.count > 5, stem.dropLast(4).hasSuffix("_"), digits.utf8.count == 4,
    digits.utf8.allSatisfy({ (48...57).contains($0) }), let channel = Int(digits)
  else { return nil }
  return (String(stem.dropLast(5)), channel)
}

/// A path of a list: absolute, or relative to `folder`.
func resolvedPath(_ path: String, in folder: URL) -> URL {
  (path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path)).standardizedFileURL
}

/// Whether `name` can be a file in an output folder, with room for an extension, and cannot lead out of it.
func isSafeFileName(_ name: String) -> Bool {
  !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
    && name.unicodeScalars.allSatisfy { $0 != "/" && $0 != "\\" && $0.properties.generalCategory != .control }
}

/// The first names and how many more there are: `a, b, c and 4 more`.
func listed(_ names: [String], atMost limit: Int = 3) -> String {
  if names.count > limit {
    return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more"
  }
  guard let last = names.last, names.count > 1 else { return names.first ?? "" }
  return names.dropLast().joined(separator: ", ") + " and " + last
}

/// `1 case`, `2 cases`.
func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// Text of a user's file that is fit for a message: one line, at most 80 characters.
func quoted(_ text: String) -> String {
  // A single letter can have megabytes of accents.
  let start = String(text.unicodeScalars.prefix(400))
  let line = String(start.map { $0.isNewline || $0 == "\0" ? " " : $0 })
  let isWhole = start.utf8.count == text.utf8.count
  return line.count > 80 || !isWhole ? line.prefix(77) + "..." : line
}

/// A number for a message: up to four decimals, none from 100,000 on, powers of ten only where it is enormous.
func short(_ value: Double) -> String {
  let size = abs(value)
  return size >= 1e9
    ? String(format: "%.4g", value) : String(format: size >= 1e5 ? "%.0f" : "%g", (value * 1e4).rounded() / 1e4)
}
