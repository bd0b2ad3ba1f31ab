import Basics
package import Foundation

/// The file name without a readable image's extension, `Case03` of `Case03.nii.gz`; nil for other files.
package func volumeStem(_ url: URL) -> String? {
  let name = url.lastPathComponent
  for ending in readableEndings where name.lowercased().hasSuffix(ending) && name.count > ending.count {
    return String(name.dropLast(ending.count))
  }
  return nil
}

/// Leaves out pictures if there are volumes, since they are overviews or snapshots of these.
package func withoutSnapshots(_ files: [(url: URL, stem: String)]) -> [(url: URL, stem: String)] {
  let volumes = files.filter { !isPicture($0.url) }
  return volumes.isEmpty ? files : volumes
}

/// The case name of a mask: `Case03` of `Case03_segmentation`; nil for other names.
package func caseNameOfMask(_ stem: String) -> String? {
  for suffix in ["_segmentation", "_seg", "_mask", "_label"] where stem.hasSuffix(suffix) && stem.count > suffix.count {
    return String(stem.dropLast(suffix.count))
  }
  return nil
}

/// Splits off nnU-Net's channel suffix: (`Case`, 1) of `Case_0001`; nil without one.
package func channelOfImage(_ stem: String) -> (name: String, channel: Int)? {
  let digits = stem.suffix(4)
  guard stem.utf8.count > 5, stem.dropLast(4).hasSuffix("_"), digits.utf8.count == 4,
    digits.utf8.allSatisfy({ (48...57).contains($0) }), let channel = Int(digits)
  else { return nil }
  return (String(stem.dropLast(5)), channel)
}
