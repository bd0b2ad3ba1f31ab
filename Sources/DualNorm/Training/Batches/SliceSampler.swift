import Basics

/// Which slice comes when: batches balanced over sites, every slice of a site once before any repeats. With a foreground
/// share this holds of two lists, a site's slices with foreground and all its slices, which take turns by the share.
///
/// A pure function of the seed and the place in the run: slot g of the run (batch · size + place) belongs to site
/// g mod sites. So every batch holds equally many slices of each site, up to one where the sites do not divide it, and
/// a resumed run goes on exactly where it stopped.
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

  /// The slices of one site and those of them that are drawn more often.
  private struct Site: Sendable {
    let slices: [Slice]
    let foreground: [Slice]
  }

  private let sites: [Site]
  private let foregroundShare: Double
  private let seed: UInt64

  /// - Parameters:
  ///   - sites: the slices of each site; none is empty.
  ///   - foregroundShare: share of a site's turns, spread evenly, that go to slices with foreground; the other turns go
  ///     to all slices. 0 draws every slice equally often.
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
    return Int(Double(turn + 1) * foregroundShare) > before
      ? draw(before, from: site.foreground, index, 1) : draw(turn - before, from: site.slices, index, 0)
  }

  /// The slice of a turn; `list` tells the lists of a site apart.
  private func draw(_ turn: Int, from slices: [Slice], _ site: Int, _ list: Int) -> Slice {
    let (round, place) = turn.quotientAndRemainder(dividingBy: slices.count)
    // Drawing the whole order anew for one place keeps this free of state; it costs far less than a training step.
    var generator = SeededGenerator.stream(seed: seed, site, round, list)
    return generator.shuffled(slices)[place]
  }
}
