import Datasets
import MedicalImaging

extension LargestComponents {
  /// Decides for each class whether to keep only its largest component: if that raises the mean Dice over labelled
  /// cases.
  ///
  /// Dice is that of the last pass on the prepared grid.
  init(of network: DualNormNetwork, _ description: ModelDescription, on cases: [PreparedCase]) {
    let (count, sampling) = (network.plan.classes, DualNorm.sampling(description.preparation))
    var gains = [[Double]](repeating: [], count: count - 1)
    var scored = 0
    for item in cases {
      guard let truth = item.volume.labels else { continue }
      scored += 1
      let found = network.classes(of: item.volume, sampling, site: description.branch(ofSite: item.source.site))
      let geometry = Geometry(size: [item.volume.width, item.volume.height, item.volume.depth])
      let all = Self.gains(ClassMap(voxels: found, geometry: geometry), truth, classes: count)
      for (index, gain) in all.enumerated() { gains[index] += gain.map { [$0] } ?? [] }
    }
    let classes = gains.map { gains in
      let gain = gains.isEmpty ? nil : gains.reduce(0, +) / Double(gains.count)
      return Gain(kept: gain ?? 0 > 0, gain: gain)
    }
    self = .validated(classes: classes, cases: scored)
  }

  /// The gain in each class's Dice in one case if only its largest component is kept; nil without the class.
  static func gains(_ found: ClassMap, _ truth: [UInt8], classes: Int) -> [Double?] {
    let whole = diceByClass(found.voxels, truth, classes: classes)
    let largest = diceByClass(found.keepingLargestComponents().voxels, truth, classes: classes)
    // A largest component is never empty, so both maps have the same classes.
    return zip(whole, largest).map { before, after in
      guard let before, let after else { return nil }
      return after - before
    }
  }
}
