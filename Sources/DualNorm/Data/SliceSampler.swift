/// Which slice comes when: batches balanced over sites, every slice of a site once before any repeats.
///
/// A pure function of the seed and the place in the run: slot g of the run (batch · size + place) belongs to site
/// g mod sites. So every batch holds equally many slices of each site, up to one where the sites do not divide it, and
/// a resumed run goes on exactly where it stopped.
public struct SliceSampler: Sendable {
  public struct Slice: Equatable, Hashable, Sendable {
    /// Index into the prepared volumes.
    public let volume: Int
    public let z: Int
  }

  /// The slices of each site.
  private let sites: [[Slice]]
  private let seed: UInt64

  /// - Parameter sites: the slices of each site; none is empty.
  public init(sites: [[Slice]], seed: UInt64) {
    precondition(!sites.isEmpty && sites.allSatisfy { !$0.isEmpty }, "every site needs a slice")
    self.sites = sites
    self.seed = seed
  }

  /// The slices of batch `index` of the run.
  public func batch(_ index: Int, size: Int) -> [Slice] {
    (0..<size).map { slice(slot: index * size + $0) }
  }

  /// The slice of one slot. Each round through a site has its own order.
  func slice(slot: Int) -> Slice {
    let (turn, site) = slot.quotientAndRemainder(dividingBy: sites.count)
    let slices = sites[site]
    let (round, place) = turn.quotientAndRemainder(dividingBy: slices.count)
    // Drawing the whole order anew for one place keeps this free of state; it costs far less than a training step.
    var generator = SeededGenerator.stream(seed: seed, site, round)
    return generator.shuffled(slices)[place]
  }
}
