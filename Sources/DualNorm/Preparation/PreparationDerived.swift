import Basics
package import Datasets
import Foundation
import MedicalImaging

extension PreparationPlan {
  /// The longest side, in pixels, that slices keep without resampling.
  static let largestUnresampledSide = 384

  /// Derives from `facts` all that the options leave open.
  ///
  /// The network's sides are the smallest multiples of `sizeMultiple` that hold every slice. Slices are resampled only
  /// if one has more than 384 pixels a side. Their common spacing, equal along x and y, is the smallest at which each
  /// slice fits 384. If all volumes are stored in one orientation, later volumes are turned to it.
  ///
  /// - Parameters:
  ///   - facts: the training cases and no others.
  ///   - networkSize: size of windows, instead of the derived one.
  ///   - padsSlices: see `PreparationPlan.padsSlices`.
  /// - Throws: `Refusal` for no cases, invalid options, a window that holds none of an image's intensities, or slices
  ///   too small or too large for the network.
  package static func derived(
    from facts: [CaseFacts], window: IntensityWindow? = nil, resampling: Resampling? = nil,
    networkSize: Extent? = nil, contextSlices: Int = 3, whitening: Whitening = .volume,
    padsSlices: Bool = true, multiples: [Int] = Levels.slices.multiples
  ) throws -> PreparationPlan {
    guard !facts.isEmpty else {
      throw Refusal(.input, "There are no cases to derive the preparation from", remedy: "check the split")
    }
    let foreground = try whitening == .ct ? pooledForeground(facts) : nil
    let window = window ?? foreground.map { IntensityWindow($0.low, $0.high) }
    let moments = foreground.map { Moments(mean: $0.mean, deviation: $0.deviation) }
    let plan = try PreparationPlan(
      window: window, resampling: resampling ?? commonSpacing(facts.map(\.geometry)), networkSize: networkSize,
      contextSlices: contextSlices, whitening: whitening, multiples: multiples, moments: moments)
    var largest = ImageSize(height: 0, width: 0)
    for fact in facts {
      // A colour that a picture does not use is constant and becomes 0; the data check refuses other constant images.
      for (name, range) in zip(fact.scan.channelNames, fact.intensities) where range.lowerBound < range.upperBound {
        if let fault = plan.clippingFault(range, name: name) { throw fault }
      }
      let size = try plan.checkedSize(of: fact.geometry, name: fact.scan.images.first?.path ?? fact.scan.identifier)
      largest.height = max(largest.height, size.height)
      largest.width = max(largest.width, size.width)
    }
    let orientations = Set(facts.filter(\.scan.hasOrientation).map(\.geometry.orientation))
    return try PreparationPlan(
      window: window, resampling: plan.resampling,
      networkSize: networkSize ?? Extent(largest.padded(toMultipleOf: multiples[0])),
      contextSlices: contextSlices, whitening: whitening,
      orientation: orientations.count == 1 ? orientations.first : nil, padsSlices: padsSlices,
      multiples: multiples, moments: moments)
  }

  /// The labelled voxels of the cases that have some.
  private static func pooledForeground(_ facts: [CaseFacts]) throws -> PooledForeground {
    func refuse(_ found: String, _ remedy: String) -> Refusal {
      Refusal(.input, "\(Setting.whitening) is \(Whitening.ct.rawValue), and \(found)", remedy: remedy)
    }
    if let scan = facts.first(where: { $0.intensities.count != 1 })?.scan {
      throw refuse(
        "\(scan.identifier) has several channels", "give \(Setting.whitening) \(Whitening.foreground.rawValue)")
    }
    guard let pooled = PooledForeground(facts.compactMap(\.foreground)) else {
      throw refuse(
        "no labelled voxel's intensity is known",
        "label the masks, or begin anew where an earlier version checked the data")
    }
    guard pooled.low < pooled.high else {
      throw refuse(
        "nearly all labelled voxels are \(short(pooled.low))",
        "give \(Setting.whitening) \(Whitening.foreground.rawValue)")
    }
    return pooled
  }

  private static func commonSpacing(_ geometries: [Geometry]) -> Resampling {
    let limit = largestUnresampledSide
    guard geometries.contains(where: { max($0.size.x, $0.size.y) > limit }) else { return .none }
    let needed = geometries.map { geometry in
      max(Double(geometry.size.x) * geometry.spacingMM.x, Double(geometry.size.y) * geometry.spacingMM.y)
        / Double(limit)
    }
    let spacing = ((needed.max() ?? 1) * 1e4).rounded(.up) / 1e4  // four decimals, which print exactly
    return .spacingMM(x: spacing, y: spacing)
  }

  /// The in-plane size of a volume after resampling.
  ///
  /// - Throws: `Refusal` for a size too small or too large for the network.
  func checkedSize(of geometry: Geometry, name: String) throws -> ImageSize {
    let size = resampledSize(geometry)
    let after = resampling == .none ? "" : " after resampling"
    guard min(size.height, size.width) >= SliceSides.smallest else {
      throw Refusal(
        .input, name,
        "slices of \(size.height)×\(size.width) pixels (H×W)\(after), expected at least \(SliceSides.smallest) a side"
          + (isOfVolumes
            ? "" : " because the network halves them \(multiples.max()!.trailingZeroBitCount) times"),
        remedy: "leave this volume out or give a finer \(Setting.spacing)")
    }
    guard max(size.height, size.width) <= SliceSides.largest else {
      throw Refusal(
        .input, name,
        "slices of \(size.height)×\(size.width) pixels (H×W)\(after), expected at most \(SliceSides.largest) a side",
        remedy: "give a coarser \(Setting.spacing)")
    }
    let depth = resampledVoxels(geometry).z
    guard depth == geometry.size.z || depth <= SliceSides.largest else {
      throw Refusal(
        .input, name, "\(depth) slices\(after), expected at most \(SliceSides.largest)",
        remedy: "correct its spacing, or give a coarser \(Setting.spacing)")
    }
    return size
  }
}
