import Pictures

/// Which slices of a case a page shows, what part of them, and how finely.
struct SlicePlan: Equatable {
  /// Ascending; all with a label where there are any.
  let slices: [Int]
  /// The one to begin with, among `slices`: the most pixels that differ, and of those the most labelled.
  let start: Int
  /// Columns and rows, as the slices are looked at.
  let columns, rows: Range<Int>
  /// Pixels of the picture are means over squares of so many of the image.
  let reduction: Int
  /// Every how many of the slices with a label are shown.
  let step: Int

  /// What all the pictures of a page may take together, in pixels, which is about as many bytes.
  static let pixelsPerPage = 4_500_000
  private static let largestSide = 256
  private static let mostSlices = 32

  /// - Parameters:
  ///   - rows: every slice of the case, in order.
  ///   - pixels: the most that its pictures may have together.
  init(_ rows: [SheetRow], pixels: Int) {
    let pixels = pixels / rows[0].channels.count  // each takes as much
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
    // Rather coarser pictures than few of them.
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

  /// Around all labels of all slices with a margin; all of them where there is none.
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
  /// Truth and passes, as far as they are there.
  var labelMaps: [[UInt8]] { [reference, firstPass, finalPass].compactMap { $0 } }

  /// What the network says in the end.
  var lastPass: [UInt8]? { finalPass ?? firstPass }

  /// Pixels that truth or last pass label.
  fileprivate var labelledCount: Int {
    let maps = labelMaps
    return channels[0].indices.count { index in maps.contains { $0[index] != 0 } }
  }

  /// Pixels where the last pass is not the truth.
  fileprivate var disagreement: Int {
    guard let reference, let lastPass else { return 0 }
    return zip(reference, lastPass).count { $0 != $1 }
  }

  /// A part of the slice, the image reduced by means over squares; labels keep their pixels.
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
