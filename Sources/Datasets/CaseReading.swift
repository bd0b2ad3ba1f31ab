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

  /// Reads the mask, which for a DICOM series may be a DICOM segmentation; nil without one.
  ///
  /// A mask drawn on a conversion of the series, whose rows may be in the other order, gets the order of the series.
  ///
  /// - Parameter grid: the stored grid of the case's first channel, if it was read, since a series' headers take long.
  /// - Throws: `Refusal` for a file that cannot be read, or a segmentation that does not lie on the series.
  package func labels(on grid: Geometry? = nil) throws -> LabelMap? {
    guard let mask else { return nil }
    let isSegmentation = isDICOM(mask)
    guard case .series(let folder, let choice) = sources.first else {
      guard !isSegmentation else {
        throw Refusal(
          .image, mask.path, "is DICOM, and its image \(reference.path) is no folder of DICOM files",
          remedy: "give the series that it was made from, or save it as NIfTI")
      }
      return try LabelMap(contentsOf: mask)
    }
    // Its warnings come with the image.
    func series() throws -> DICOMSeries {
      try Warnings.collecting { try DICOMSeries(contentsOf: folder, series: choice) }.value
    }
    if isSegmentation { return try DICOMSegmentation(contentsOf: mask).labels(on: series()) }
    let labels = try LabelMap(contentsOf: mask)
    return labels.reordered(onto: try grid ?? series().geometry) ?? labels
  }

  /// The same case with folders of DICOM files as series.
  var withSeries: Case {
    reading(sources.map { if case .file(let url) = $0 { .found(at: url) } else { $0 } })
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
