import Basics
import Foundation
package import MedicalImaging

extension Case {
  /// Reads all channels, file by file, with their names for messages.
  ///
  /// - Throws: `Refusal` for files that cannot be read, or if they do not lie on one grid.
  package func channels() throws -> (images: [Image], names: [String], constant: Set<Int>) {
    var all: [Image] = []
    var constant: Set<Int> = []
    for source in sources {
      let channels = try source.channels()
      if let first = all.first {
        let fault = mismatch(modality: source.url, channels[0].geometry, first: reference, first.geometry)
        if let fault { throw fault }
      }
      let blank = isPicture ? blankChannels(channels.map(IntensityStatistics.init)) : []
      constant.formUnion(blank.map { all.count + $0 })
      all += channels
    }
    return (all, channelNames, constant)
  }

  /// The same case with the number of channels that the header of its only file gives.
  ///
  /// - Parameter volumes: whether to look into volumes too; pictures are always asked.
  /// - Throws: `Refusal` for a header that cannot be read.
  package func counted(volumes: Bool) throws -> Case {
    guard sources.count == 1, case .file(let url) = sources[0], isPicture || volumes else { return self }
    let count = try Image.channelCount(contentsOf: url)
    return count > 1 ? reading([.components(url, count: count)]) : self
  }
}

/// The constant channels of a picture in which another channel has contrast.
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
