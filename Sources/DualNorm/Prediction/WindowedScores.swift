import Torch

extension Segmenter {
  /// Scores every slice of a volume in order, one slab at a time. Memory does not grow with the number of slices.
  ///
  /// Where windows overlap, a pixel's score is the mean over its windows, weighted by `windowWeights`.
  ///
  /// - Parameters:
  ///   - wanted: the passes to score; a network without dual norms gives its only pass for both.
  ///   - goesOn: asked before each batch of windows; false ends the scoring.
  ///   - body: receives the scores of a slab on the volume's grid.
  func forEachSlab(
    of volume: PreparedVolume, _ sampling: any Sampling, passes wanted: Set<Pass>, on device: Device,
    goesOn: () -> Bool = { true }, _ body: (Pass, Range<Int>, ClassScores) -> Void
  ) {
    withoutGradients {
      let windows = sampling.windows(covering: volume)
      var sums: [Pass: WindowSums] = [:]
      var batch: (places: Range<Int>, scores: [Pass: ClassScores]) = (0..<0, [:])
      for (place, window) in windows.enumerated() {
        if place == batch.places.upperBound {
          guard goesOn() else { return }
          let places = place..<min(place + sampling.windowsPerBatch, windows.count)
          batch = (places, scores(of: sampling.input(places.map { (volume, windows[$0]) }, on: device), .evaluation))
        }
        let next = place + 1 < windows.count ? windows[place + 1].slices.lowerBound : volume.depth
        let inVolume = window.region(of: volume, inBatch: place - batch.places.lowerBound)
        for pass in Pass.allCases where wanted.contains(pass) {
          let found = (batch.scores[pass] ?? batch.scores[.first]!).cropped(
            slices: inVolume.slices, rows: inVolume.rows, columns: inVolume.columns)
          if window.isAlone(among: windows, at: place) {
            body(pass, window.slices.clamped(to: 0..<volume.depth), found)
          } else {
            let sum =
              sums[pass]
              ?? WindowSums(
                of: volume, areLogits: found.areLogits, furtherCount: found.furtherCount,
                weighsSlices: sampling.overlapsSlices)
            sums[pass] = sum
            sum.add(found.inVolume, of: window)
            if let (slices, mean) = sum.taken(upTo: next) { body(pass, slices, mean) }
          }
        }
      }
    }
  }
}

extension Window {
  /// Slices, rows and columns of the window that lie in a volume, counted from the first of its batch.
  ///
  /// - Parameter place: the number of windows before it in the batch.
  fileprivate func region(
    of volume: PreparedVolume, inBatch place: Int
  ) -> (slices: Range<Int>, rows: Range<Int>, columns: Range<Int>) {
    func inside(_ range: Range<Int>, _ length: Int) -> Range<Int> {
      let common = range.clamped(to: 0..<length)
      return common.lowerBound - range.lowerBound..<common.upperBound - range.lowerBound
    }
    let (found, before) = (inside(slices, volume.depth), place * slices.count)
    return (
      found.lowerBound + before..<found.upperBound + before, inside(rows, volume.height),
      inside(columns, volume.width)
    )
  }

  /// Tells whether the window shares no slice with others of a list, which is sorted by slices.
  fileprivate func isAlone(among windows: [Window], at place: Int) -> Bool {
    let before = place > 0 ? windows[place - 1].slices.upperBound : 0
    let after = place + 1 < windows.count ? windows[place + 1].slices.lowerBound : slices.upperBound
    return (place == 0 || before <= slices.lowerBound) && after >= slices.upperBound
  }
}

/// Weighted sums of the scores of overlapping windows, for slices that still lack some windows.
private final class WindowSums {
  private let depth: Int
  private let size: ImageSize
  private let areLogits: Bool
  private let furtherCount: Int
  private let weighsSlices: Bool
  /// The first slice that `sums` holds.
  private var start = 0
  /// Weighted sums of scores, [slices, classes, H, W], and sums of weights, [slices, 1, H, W].
  private var sums, weights: Tensor?

  init(of volume: PreparedVolume, areLogits: Bool, furtherCount: Int, weighsSlices: Bool) {
    self.furtherCount = furtherCount
    (depth, size) = (volume.depth, volume.size)
    (self.areLogits, self.weighsSlices) = (areLogits, weighsSlices)
  }

  /// - Parameter scores: [slices, classes, H, W] of the part of the window that lies in the volume.
  func add(_ scores: Tensor, of window: Window) {
    let scores = scores.moved(to: .cpu)
    let slices = window.slices.clamped(to: 0..<depth)
    if sums == nil { start = slices.lowerBound }  // windows that share no slice with others have passed by
    reserve(upTo: slices.upperBound, classes: scores.size(1))
    let (rows, columns) = (window.rows.clamped(to: 0..<size.height), window.columns.clamped(to: 0..<size.width))
    func region(_ tensor: Tensor) -> Tensor {
      tensor.narrowed(0, to: slices.lowerBound - start..<slices.upperBound - start)
        .narrowed(2, to: rows).narrowed(3, to: columns)
    }
    func weights(_ range: Range<Int>, _ inside: Range<Int>) -> [Double] {
      Array(windowWeights(range.count)[inside.lowerBound - range.lowerBound..<inside.upperBound - range.lowerBound])
    }
    let across = weights(window.columns, columns)
    let down = weights(window.rows, rows)
    let through = weighsSlices ? weights(window.slices, slices) : [1]
    let weight = Tensor(
      through.flatMap { z in down.flatMap { y in across.map { Float(z * y * $0) } } },
      shape: [through.count, 1, rows.count, columns.count])
    region(sums!).add(scores * weight)
    region(self.weights!).add(weight)
  }

  /// Removes the slices before `end` and returns their mean scores; nil if there are none.
  func taken(upTo end: Int) -> (Range<Int>, ClassScores)? {
    guard let sums, let weights, end > start else { return nil }
    let count = min(end - start, sums.size(0))
    defer { start += count }
    let mean = sums.narrowed(0, to: 0..<count) / weights.narrowed(0, to: 0..<count)
    let rest = count..<sums.size(0)
    self.sums = rest.isEmpty ? nil : sums.narrowed(0, to: rest).copy()
    self.weights = rest.isEmpty ? nil : weights.narrowed(0, to: rest).copy()
    return (start..<start + count, ClassScores(mean, areLogits: areLogits, furtherCount: furtherCount))
  }

  private func reserve(upTo end: Int, classes: Int) {
    let missing = end - start - (sums?.size(0) ?? 0)
    guard missing > 0 else { return }
    func grown(_ tensor: Tensor?, _ channels: Int) -> Tensor {
      let zeros = Tensor(repeating: 0, shape: [missing, channels, size.height, size.width])
      return tensor.map { .concatenate([$0, zeros], dimension: 0) } ?? zeros
    }
    (sums, weights) = (grown(sums, classes), grown(weights, 1))
  }
}
