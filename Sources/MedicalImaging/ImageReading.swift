import Basics
public import Foundation

extension Volume where Voxel == Float {
  /// Reads NIfTI, NRRD or MetaImage of any voxel type, a folder's DICOM series, or a grey picture.
  ///
  /// NIfTI is `.nii`, `.nii.gz` or `.hdr` with its `.img` (Analyze 7.5 too). NRRD is `.nrrd` or `.nhdr`, MetaImage
  /// `.mha` or `.mhd`. See `channels(contentsOf:)` for colour. Intensities are the stored values times the file's slope
  /// plus its intercept, NaN included. A 2-D file is one slice; further axes of length 1 are dropped. If a NIfTI file's
  /// sform and qform differ, the sform counts, with a warning.
  /// - Parameter series: the series of a DICOM folder, as `DICOMSeries` takes it.
  /// - Throws: `Refusal` if the file is missing, damaged, of another format, not 3-D or in colour.
  public init(contentsOf url: URL, series: String? = nil) throws {
    if holdsDICOM(url) {
      self = try DICOMSeries(contentsOf: url, series: series).image()
      return
    }
    if isPicture(url) {
      self = try Image.grey(contentsOf: url)
      return
    }
    let file = try ImageFile(url)
    self.init(repeating: 0, geometry: file.geometry)
    try file.read(into: &voxels)
  }
}

extension Volume where Voxel == LabelValue {
  /// Reads labels from the formats of `Image.init(contentsOf:)`, with any voxel type.
  ///
  /// A picture's labels are its grey values or its palette's indices.
  ///
  /// - Throws: the errors for images. Also `Refusal` for a value that is not a whole number from 0 to 65535, up to
  ///   rounding; for intensities in place of labels; and for a picture that is a JPEG or in colour.
  public init(contentsOf url: URL) throws {
    let geometry: Geometry
    var values: [Double]
    if isPicture(url) {
      let picture = try Image.labelPicture(contentsOf: url)
      geometry = picture.geometry
      values = picture.voxels.map(Double.init)
    } else {
      let file = try ImageFile(url)
      geometry = file.geometry
      let taken = MemoryLayout<Double>.size + MemoryLayout<LabelValue>.size
      try VolumeMemory.requireRoom(for: geometry.size, voxelBytes: taken, of: url)
      values = [Double](repeating: 0, count: geometry.voxelCount)
      try file.read(into: &values)
    }
    self.init(repeating: 0, geometry: geometry)
    try take(values, from: url)
    try requireStructures(url)
  }

  /// More different values than this are looked at, since they may be intensities.
  private static var mostUnsuspectedValues: Int { 256 }

  /// The least share of equal neighbours in masks of many labels. Noise leaves intensities fewer than one in ten.
  private static var leastEqualNeighbours: Double { 1 / 3.0 }

  /// Refuses intensities, whose neighbours differ where those in a mask's structures are equal.
  private func requireStructures(_ url: URL) throws {
    let counts = histogram
    let count = counts.count { $0 > 0 }
    guard count > Self.mostUnsuspectedValues, let background = counts.indices.max(by: { counts[$0] < counts[$1] }),
      equalNeighbours(beside: LabelValue(background)) < Self.leastEqualNeighbours
    else { return }
    throw Refusal(
      .image, url.path,
      "holds \(count) different values, and most voxels differ from their neighbours, which those of structures do not",
      question: "is this an image")
  }

  /// The share of equal ones among voxels that follow one another in the file, without those of the background.
  private func equalNeighbours(beside background: LabelValue) -> Double {
    var (equal, all) = (0, 0)
    voxels.withUnsafeBufferPointer { voxels in
      for index in 1..<voxels.count where voxels[index] != background && voxels[index - 1] != background {
        all += 1
        if voxels[index] == voxels[index - 1] { equal += 1 }
      }
    }
    return all == 0 ? 1 : Double(equal) / Double(all)
  }

  /// The number of voxels of each value that a label can have.
  public var histogram: [Int] {
    var counts = [Int](repeating: 0, count: Int(LabelValue.max) + 1)
    voxels.withUnsafeBufferPointer { for value in $0 { counts[Int(value)] += 1 } }
    return counts
  }

  /// The rounding error that hand-made scalings and 32-bit floats add to a whole number.
  private static var largestRounding: Double { 1e-3 }

  /// Fills in values; rounds nearly whole ones with a warning.
  private mutating func take(_ values: [Double], from url: URL) throws {
    var (rounded, example) = (0, 0.0)
    let wrong = values.withUnsafeBufferPointer { values in
      voxels.withUnsafeMutableBufferPointer { labels in
        values.indices.first { index in
          let value = values[index]
          if let label = LabelValue(exactly: value) {
            labels[index] = label
            return false
          }
          let whole = value.rounded()
          guard let label = LabelValue(exactly: whole), abs(value - whole) <= Self.largestRounding else { return true }
          labels[index] = label
          (rounded, example) = (rounded + 1, value)
          return false
        }
      }
    }
    if let wrong {
      let (x, y) = (wrong % geometry.size.x, wrong / geometry.size.x % geometry.size.y)
      let place = "voxel (\(x), \(y), \(wrong / geometry.sliceCount)) is"
      if let label = Int(exactly: values[wrong]), label > LabelValue.max {
        throw Refusal(
          .image, url.path, "\(place) \(label), and labels above \(LabelValue.max) are not read",
          question: "give each class a number from 0 to \(LabelValue.max), or is this an image")
      }
      throw Refusal(
        .image, url.path, "\(place) \(values[wrong])",
        detail: "labels must be whole numbers from 0 to \(LabelValue.max)",
        question: "is this an image")
    }
    guard rounded > 0 else { return }
    Warnings.report(
      url,
      "\(rounded) of its voxels are not whole numbers, such as \(example), and were rounded; save the labels as integers.",
      kind: "of labels that were rounded")
  }
}
