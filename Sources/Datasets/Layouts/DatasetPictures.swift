import Basics
import Foundation
import MedicalImaging

/// Tells whether a file's header says it is a colour picture; false if it cannot be read.
func isColourPicture(_ url: URL) -> Bool {
  isPicture(url) && (try? Image.channelCount(contentsOf: url)) == colourChannels.count
}

/// The names of a file's channels in messages: its path, for a colour picture with the colour.
package func channelNames(of url: URL, count: Int) -> [String] {
  count == 1 ? [url.path] : colourChannels.map { "\(url.path) (\($0))" }
}

extension Dataset {
  /// The names of red, green and blue if the cases are colour pictures; nil otherwise.
  ///
  /// Files with an unreadable header are left to the data check.
  ///
  /// - Parameter names: the names in `dataset.json`, kept if there are three.
  /// - Throws: `Refusal` if some images are in colour and some are not.
  static func colours(of cases: [Case], named names: [String], in folder: URL) throws -> [String]? {
    var colour: URL?
    var other: URL?
    for scan in cases {
      for url in scan.images {
        guard let count = try? Image.channelCount(contentsOf: url) else { continue }
        if count == 1 {
          other = other ?? url
          continue
        }
        colour = colour ?? url
        guard scan.images.count == 1 else {
          throw Refusal(
            .input, url.path, "is in colour and one of \(scan.images.count) files of case \(scan.identifier)",
            detail: "a case is one colour picture or several grey files")
        }
      }
    }
    guard let colour else { return nil }
    if let other {
      throw Refusal(
        .input, folder.path, "\(colour.path) is in colour and \(other.path) is not",
        detail: "a data set has one kind, so convert the one or the other")
    }
    guard [1, colourChannels.count].contains(names.count) else {
      throw Refusal(
        .input, folder.path,
        "dataset.json names \(names.count) channels (\(listed(names))), and \(colour.path) has 3, red, green and blue",
        remedy: "name these")
    }
    return names.count == 1 ? colourChannels : names
  }
}

extension Case {
  /// Reads all channels, file by file, with their names for messages.
  ///
  /// - Throws: `Refusal` for files that cannot be read, or if they do not lie on one grid.
  package func channels() throws -> (images: [Image], names: [String], constant: Set<Int>) {
    var all: [Image] = []
    var names: [String] = []
    var constant: Set<Int> = []
    for (place, url) in images.enumerated() {
      let channels = try Image.channels(contentsOf: url, series: series.isEmpty ? nil : series[place])
      if let first = all.first {
        let fault = mismatch(modality: url, channels[0].geometry, first: images[0], first.geometry)
        if let fault { throw fault }
      }
      let blank = blankChannels(channels.map(IntensityStatistics.init))
      constant.formUnion(blank.map { all.count + $0 })
      names += channelNames(of: url, count: channels.count)
      all += channels
    }
    return (all, names, constant)
  }
}

/// The constant channels of a file in which another channel has contrast.
///
/// A colour that a picture does not use is no fault; it becomes 0 everywhere.
func blankChannels(_ channels: [IntensityStatistics]) -> [Int] {
  let constant = channels.indices.filter { channels[$0].isConstant }
  return constant.count < channels.count ? constant : []
}

extension IntensityStatistics {
  /// Tells whether all voxels are one finite number.
  var isConstant: Bool { nonFiniteCount == 0 && range.map { $0.lowerBound == $0.upperBound } ?? false }
}
