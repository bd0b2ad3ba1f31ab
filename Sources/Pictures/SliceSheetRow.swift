package import MedicalImaging

/// One slice of one case on a `SliceSheet`. All label slices have the image's size, row by row from the top left.
package struct SheetRow: Sendable {
  /// For example `Site-A/Case16`.
  package var title: String
  package var width, height: Int
  /// Height of a pixel over its width.
  package var pixelAspect = 1.0
  /// One channel for a grey slice; red, green and blue for a colour picture.
  package var channels: [[Float]]
  package var reference, firstPass, finalPass, adaptedPass: [UInt8]?
  /// The note over the pass, for example `Dice 0.93`.
  package var firstNote = ""
  package var finalNote = ""
  package var adaptedNote = ""

  package init(
    title: String, width: Int, height: Int, channels: [[Float]], reference: [UInt8]? = nil, firstPass: [UInt8]? = nil,
    finalPass: [UInt8]? = nil, adaptedPass: [UInt8]? = nil
  ) {
    precondition(width > 0 && height > 0, "a slice of \(width)×\(height) has no pixels")
    precondition([1, 3].contains(channels.count), "\(channels.count) channels are neither grey nor a colour")
    let counts = channels.map(\.count) + [reference, firstPass, finalPass, adaptedPass].compactMap { $0?.count }
    for count in counts {
      precondition(count == width * height, "\(count) pixels do not fill \(width)×\(height)")
    }
    (self.title, self.width, self.height, self.channels) = (title, width, height, channels)
    (self.reference, self.firstPass, self.finalPass) = (reference, firstPass, finalPass)
    self.adaptedPass = adaptedPass
  }

  /// Slice `z` of a volume and its class maps (all of one size), oriented as radiologists view it.
  ///
  /// The patient's left or back is on the right, the head or the front on top. Pixels that were never measured become
  /// NaN: windows ignore them, and they are drawn black.
  ///
  /// - Parameter channels: the channels of one file, as `Image.channels(contentsOf:)` reads them.
  package init(
    title: String, channels: [Image], z: Int, reference: ClassMap? = nil, firstPass: ClassMap? = nil,
    finalPass: ClassMap? = nil, adaptedPass: ClassMap? = nil
  ) {
    let geometry = channels[0].geometry
    let view = SliceView(direction: geometry.direction)
    func slice<Voxel>(_ volume: Volume<Voxel>) -> [Voxel] {
      precondition(volume.geometry.size == geometry.size, "class maps of another size than the image \(title)")
      let voxels = volume.voxels[(z * geometry.sliceCount)..<((z + 1) * geometry.sliceCount)]
      return view.applied(to: Array(voxels), width: geometry.size.x, height: geometry.size.y)
    }
    func measured(_ image: Image) -> [Float] {
      guard let noData = image.noData else { return slice(image) }
      return zip(slice(image), slice(Volume(voxels: noData, geometry: geometry))).map { $1 ? .nan : $0 }
    }
    self.init(
      title: title, width: view.isTransposed ? geometry.size.y : geometry.size.x,
      height: view.isTransposed ? geometry.size.x : geometry.size.y, channels: channels.map(measured),
      reference: reference.map(slice), firstPass: firstPass.map(slice), finalPass: finalPass.map(slice),
      adaptedPass: adaptedPass.map(slice))
    let aspect = geometry.spacingMM.y / geometry.spacingMM.x
    pixelAspect = view.isTransposed ? 1 / aspect : aspect
  }

  /// The slice with the most labels or classes and, among equals, the most labelled voxels; the middle slice of an empty
  /// map.
  package static func fullestSlice<Label: UnsignedInteger & Sendable>(of labels: Volume<Label>) -> Int {
    let size = labels.geometry.size
    var best = (z: size.z / 2, classes: 0, voxels: 0)
    for z in 0..<size.z {
      let slice = labels.voxels[(z * labels.geometry.sliceCount)..<((z + 1) * labels.geometry.sliceCount)]
      let labelled = slice.filter { $0 != 0 }
      let classes = Set(labelled).count
      if (classes, labelled.count) > (best.classes, best.voxels) { best = (z, classes, labelled.count) }
    }
    return best.z
  }
}

/// The transposition and flips that bring a slice into viewing orientation.
package struct SliceView: Equatable {
  package var isTransposed = false
  var flipsColumns = false
  var flipsRows = false

  /// Derives the view from a direction matrix (columns are the axes, LPS).
  ///
  /// The axis nearest to left-right, or else front-back, runs to the right. The other axis runs down, but a head-foot
  /// axis has the head on top.
  package init(direction: [Double]) {
    let x = SliceView.patientAxis(of: [direction[0], direction[3], direction[6]])
    let y = SliceView.patientAxis(of: [direction[1], direction[4], direction[7]])
    isTransposed = x.axis > y.axis
    let (across, down) = isTransposed ? (y, x) : (x, y)
    flipsColumns = !across.isPositive
    flipsRows = down.isPositive == (down.axis == 2)
  }

  package func applied<Pixel>(to slice: [Pixel], width: Int, height: Int) -> [Pixel] {
    let (columns, rows) = isTransposed ? (height, width) : (width, height)
    var result: [Pixel] = []
    result.reserveCapacity(slice.count)
    for row in 0..<rows {
      for column in 0..<columns {
        let across = flipsColumns ? columns - 1 - column : column
        let down = flipsRows ? rows - 1 - row : row
        result.append(isTransposed ? slice[across * width + down] : slice[down * width + across])
      }
    }
    return result
  }

  /// The patient's axis (0 left, 1 back, 2 head) nearest to a unit vector, and whether it points that way.
  private static func patientAxis(of vector: [Double]) -> (axis: Int, isPositive: Bool) {
    let axis = vector.indices.max { abs(vector[$0]) < abs(vector[$1]) }!
    return (axis, vector[axis] > 0)
  }
}
