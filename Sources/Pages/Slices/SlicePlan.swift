import Pictures

/// The slices of a case that a page shows, their visible part, and their resolution.
struct SlicePlan: Equatable {
  /// Slices to show, ascending; only labelled ones if there are any.
  let slices: [Int]
  /// The first slice to show, among `slices`: most differing pixels, then most labelled pixels.
  let start: Int
  /// The visible columns and rows, in viewing orientation.
  let columns, rows: Range<Int>
  /// The side of the square of image pixels that one picture pixel averages.
  let reduction: Int
  /// The step between the labelled slices shown.
  let step: Int

  /// The most pixels of all pictures of a page together; a pixel takes about a byte.
  static let pixelsPerPage = 4_500_000
  private static let largestSide = 256
  private static let mostSlices = 32

  /// - Parameters:
  ///   - rows: every slice of the case, in order.
  ///   - pixels: the most pixels that its pictures may have together.
  init(_ rows: [SheetRow], pixels: Int) {
    let pixels = pixels / rows[0].channels.count  // each channel takes as much
    let labelled = rows.map(\.labelledCount)
    let different = rows.map(\.disagreement)
    let shown = rows.indices.filter { labelled[$0] > 0 }
    let candidates = shown.isEmpty ? Array(rows.indices) : shown
    let box = Self.box(around: rows)
    let side = max(box.columns.count, box.rows.count)
    var reduction = (side + Self.largestSide - 1) / Self.largestSide
    func most(_ reduction: Int) -> Int {
      let area = (box.columns.count + reduction - 1) / reduction * ((box.rows.count + reduction - 1) / reduction)
      return pixels / max(area, 1)
    }
    // Prefer coarser pictures to fewer pictures.
    while most(reduction) < min(8, candidates.count), side / (reduction + 1) >= 96 { reduction += 1 }
    let limit = min(Self.mostSlices, max(1, most(reduction)))
    let step = (candidates.count + limit - 1) / limit
    let start = candidates.indices.max { a, b in
      let (a, b) = (candidates[a], candidates[b])
      return (different[a], labelled[a], -a) < (different[b], labelled[b], -b)
    }!
    slices = candidates.indices.filter { $0 % step == start % step }.map { candidates[$0] }
    self.start = candidates[start]
    (columns, self.rows) = (box.columns, box.rows)
    (self.reduction, self.step) = (reduction, step)
  }

  /// The box around all labels of all slices with a margin; the whole slice if there are none.
  private static func box(around rows: [SheetRow]) -> (columns: Range<Int>, rows: Range<Int>) {
    let (width, height) = (rows[0].width, rows[0].height)
    var (left, right, top, bottom) = (width, -1, height, -1)
    for labels in rows.flatMap(\.labelMaps) {
      for y in 0..<height {
        for x in 0..<width where labels[y * width + x] != 0 {
          (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
        }
      }
    }
    guard right >= 0 else { return (0..<width, 0..<height) }
    let margin = max(10, max(right - left, bottom - top) / 4)
    return (
      max(0, left - margin)..<min(width, right + margin + 1), max(0, top - margin)..<min(height, bottom + margin + 1)
    )
  }
}

extension SheetRow {
  /// The available truth and passes.
  var labelMaps: [[UInt8]] { [reference, firstPass, finalPass].compactMap { $0 } }

  /// The network's last pass.
  var lastPass: [UInt8]? { finalPass ?? firstPass }

  /// The number of pixels that the truth or the last pass labels.
  fileprivate var labelledCount: Int {
    let maps = labelMaps
    return channels[0].indices.count { index in maps.contains { $0[index] != 0 } }
  }

  /// The number of pixels where the last pass differs from the truth.
  fileprivate var disagreement: Int {
    guard let reference, let lastPass else { return 0 }
    return zip(reference, lastPass).count { $0 != $1 }
  }

  /// Crops the slice; reduces the image by means over squares, but keeps the labels' pixels.
  func cropped(columns: Range<Int>, rows: Range<Int>) -> SheetRow {
    func part<Pixel>(_ pixels: [Pixel]) -> [Pixel] {
      rows.flatMap { y in pixels[y * width + columns.lowerBound..<y * width + columns.upperBound] }
    }
    var result = SheetRow(
      title: title, width: columns.count, height: rows.count, channels: channels.map(part),
      reference: reference.map(part), firstPass: firstPass.map(part), finalPass: finalPass.map(part))
    result.pixelAspect = pixelAspect
    return result
  }
}
