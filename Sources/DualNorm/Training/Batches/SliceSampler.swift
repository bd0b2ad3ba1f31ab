import Basics

/// Chooses the slices of each batch, balanced over the sites; each site's slices all come once before any repeats.
///
/// With a foreground share, a site has two such lists: its slices with foreground, and all its slices. They take turns
/// according to the share.
///
/// A slice is a pure function of the seed and its slot in the run: slot g (batch · size + place) belongs to site g mod
/// sites. So each batch holds equally many slices of each site, plus or minus one. A resumed run continues exactly at
/// its slot.
struct SliceSampler: Sendable {
  struct Slice: Equatable, Hashable, Sendable {
    /// Index into the prepared volumes.
    let volume: Int
    let z: Int
    let hasForeground: Bool

    init(volume: Int, z: Int, hasForeground: Bool = false) {
      self.volume = volume
      self.z = z
      self.hasForeground = hasForeground
    }
  }

  /// The slices of one site, and those with foreground.
  private struct Site: Sendable {
    let slices: [Slice]
    let foreground: [Slice]
  }

  private let sites: [Site]
  private let foregroundShare: Double
  private let seed: UInt64

  /// - Parameters:
  ///   - sites: the slices of each site; none is empty.
  ///   - foregroundShare: the share of a site's turns, evenly spread, for slices with foreground. The other turns go to
  ///     all slices. 0 draws every slice equally often.
  init(sites: [[Slice]], foregroundShare: Double = 0, seed: UInt64) {
    precondition(!sites.isEmpty && sites.allSatisfy { !$0.isEmpty }, "every site needs a slice")
    self.sites = sites.map { Site(slices: $0, foreground: $0.filter(\.hasForeground)) }
    self.foregroundShare = foregroundShare
    self.seed = seed
  }

  /// The slices of batch `index` of the run.
  func batch(_ index: Int, size: Int) -> [Slice] {
    (0..<size).map { slice(slot: index * size + $0) }
  }

  /// The slice of one slot. Each round through a site has its own order.
  func slice(slot: Int) -> Slice {
    let (turn, index) = slot.quotientAndRemainder(dividingBy: sites.count)
    let site = sites[index]
    guard foregroundShare > 0, !site.foreground.isEmpty else { return draw(turn, from: site.slices, index, 0) }
    let before = Int(Double(turn) * foregroundShare)
    return isForegroundTurn(turn)
      ? draw(before, from: site.foreground, index, 1) : draw(turn - before, from: site.slices, index, 0)
  }

  /// Tells whether a slot is one of the share that goes to foreground.
  func isForeground(slot: Int) -> Bool {
    let (turn, index) = slot.quotientAndRemainder(dividingBy: sites.count)
    return !sites[index].foreground.isEmpty && isForegroundTurn(turn)
  }

  private func isForegroundTurn(_ turn: Int) -> Bool {
    Int(Double(turn + 1) * foregroundShare) > Int(Double(turn) * foregroundShare)
  }

  /// The slice of a turn; `list` tells the lists of a site apart.
  private func draw(_ turn: Int, from slices: [Slice], _ site: Int, _ list: Int) -> Slice {
    let (round, place) = turn.quotientAndRemainder(dividingBy: slices.count)
    // Drawing the whole order for each slice avoids state, and costs far less than a training step.
    var generator = SeededGenerator.stream(seed: seed, site, round, list)
    return generator.shuffled(slices)[place]
  }
}
