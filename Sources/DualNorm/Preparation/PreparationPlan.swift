import Basics
import Datasets
package import MedicalImaging
import Scores

/// The steps from a volume to the network's input. `model.json` stores them, so prediction prepares as training did.
///
/// The order is: clip to `window`, whiten each volume and modality, resample. Whitening is z-score
/// normalization with the population standard deviation. The network then sees windows of `networkSize`, padded where
/// a slice is smaller.
package struct PreparationPlan: Equatable, Sendable {
  /// Resampling in plane, and for 3-D networks along the slices too.
  package enum Resampling: Equatable, Sendable {
    case none
    /// Resamples to this spacing in mm, or to the nearest that gives a whole number of voxels. Without z, the spacing
    /// between slices stays.
    case spacingMM(x: Double, y: Double, z: Double? = nil)
    /// Resamples to this number of pixels, at any spacing.
    case size(height: Int, width: Int)
  }

  /// Range to which intensities are clipped before whitening; nil does not clip.
  package let window: IntensityWindow?
  package let resampling: Resampling
  /// Divisors of the windows' sizes; see `Levels.multiples`. Not saved, because the network gives them.
  package var multiples: [Int]
  /// Size of training windows, in multiples of `multiples`. Smaller slices are padded to it. nil takes each volume's
  /// own size, padded.
  package let networkSize: Extent?
  /// Tells whether slices are padded in prediction. Networks of the published recipe see them unpadded.
  let padsSlices: Bool
  /// Number of slices in one input, the slice and its neighbours: odd, from 1 to 99.
  package let contextSlices: Int
  /// Voxels that give the mean and standard deviation of whitening.
  package let whitening: Whitening
  /// The mean and standard deviation of all volumes; for `Whitening.ct` alone.
  package let moments: Moments?
  /// Stored orientation of the training volumes. Others are turned to it before all else, and their masks turned back.
  /// nil keeps every volume as stored. Pictures are never turned.
  package private(set) var orientation: Orientation?
  /// The steps of nnU-Net, for models that it trained; nil for others. They replace clipping, whitening and orientation.
  package let nnUNet: NNUNetPreparation?

  package enum Whitening: String, Codable, Sendable, CaseIterable {
    /// All voxels of the volume, as published.
    case volume
    /// Voxels brighter than the volume's mean, so the share of air around the body makes no difference. All voxels
    /// count if the variance of these is below 1 % of the volume's, as with a bright, nearly constant background.
    case foreground
    /// The labelled voxels of all training cases, for volumes in Hounsfield units: one mean and deviation for all
    /// volumes. `window` is from the percentile 0.5 to 99.5 of these voxels. As nnU-Net's CTNormalization.
    case ct
  }

  /// The mean and standard deviation of intensities.
  package struct Moments: Codable, Equatable, Sendable {
    let mean, deviation: Double
  }

  /// - Throws: `Refusal` for values that no network can take.
  init(
    window: IntensityWindow? = nil, resampling: Resampling = .none, networkSize: Extent? = nil,
    contextSlices: Int = 3, whitening: Whitening = .volume, orientation: Orientation? = nil, padsSlices: Bool = true,
    multiples: [Int] = Levels.slices.multiples, moments: Moments? = nil, nnUNet: NNUNetPreparation? = nil
  ) throws {
    self.nnUNet = nnUNet
    self.moments = moments
    self.window = window
    self.resampling = resampling
    self.networkSize = networkSize
    self.contextSlices = contextSlices
    self.whitening = whitening
    self.orientation = orientation
    self.padsSlices = padsSlices
    self.multiples = multiples
    try validate()
  }
}

extension PreparationPlan {
  /// The same plan with another orientation.
  func oriented(to orientation: Orientation) -> PreparationPlan {
    var result = self
    result.orientation = orientation
    return result
  }

  /// Size of the window in which the network predicts a slice.
  ///
  /// It is the training window's size, or without padding the slice's own, at least `sizeMultiple` a side.
  ///
  /// - Parameter slice: size of the slice after resampling, in pixels.
  package func windowSize(of slice: ImageSize) -> ImageSize {
    // A smaller window would vanish at the deepest level.
    guard padsSlices else {
      return ImageSize(height: max(slice.height, sizeMultiple), width: max(slice.width, sizeMultiple))
    }
    return trainingSize(of: slice)
  }

  /// Size of the window in which the network learns from a slice: `networkSize`, or the padded slice.
  func trainingSize(of slice: ImageSize) -> ImageSize {
    networkSize?.slice ?? slice.padded(toMultipleOf: sizeMultiple)
  }

  /// Tells whether the network takes volumes, in windows of `networkSize`.
  package var isOfVolumes: Bool { multiples.count == 3 }

  /// Divisor of the sides of padded slices.
  private var sizeMultiple: Int { multiples.max()! }

  /// - Throws: `Refusal` for values that no network can take.
  func validate() throws {
    if let window, !(window.low.isFinite && window.high.isFinite && window.low < window.high) {
      throw Refusal(
        .input,
        "The window \(window.low) to \(window.high) must go from a lower to a higher intensity, such as -125 to 275")
    }
    guard (whitening == .ct) == (moments != nil), moments.map({ $0.mean.isFinite && $0.deviation > 0 }) ?? true else {
      throw Refusal(
        .input,
        "The whitening \(Whitening.ct.rawValue), and no other, needs a mean and a deviation above 0 of all volumes")
    }
    switch resampling {
    case .none: break
    case .spacingMM(let x, let y, let z):
      let spacing = [x, y] + (z.map { [$0] } ?? [])
      guard spacing.allSatisfy({ $0.isFinite && $0 >= 0.001 && $0 <= 1000 }) else {
        throw Refusal(
          .input,
          "The spacing \(spacing.map { "\($0)" }.joined(separator: "×")) mm must lie between 0.001 and 1000 mm, such as 0.625×0.625"
        )
      }
    case .size(let height, let width):
      guard [height, width].allSatisfy({ (SliceSides.smallest...SliceSides.largest).contains($0) }) else {
        throw Refusal(
          .input,
          "The size \(height)×\(width) to resample to must lie between \(SliceSides.smallest) and "
            + "\(SliceSides.largest) pixels a side")
      }
    }
    if let size = networkSize {
      let valid = zip(size.sizes, multiples).allSatisfy { $0 % $1 == 0 && ($1...SliceSides.largest).contains($0) }
      guard size.sizes.count == multiples.count, valid else { throw refusal(ofNetworkSize: size) }
    }
    guard (1...99).contains(contextSlices), contextSlices % 2 == 1 else {
      throw Refusal(
        .input, "The number of context slices is \(contextSlices)",
        remedy: "it must be odd (a slice and as many neighbours on each side) and at most 99, such as 3")
    }
  }

  private func refusal(ofNetworkSize size: Extent) -> Refusal {
    guard size.sizes.count == multiples.count else {
      return Refusal(
        .input,
        "The network's size \(size) has \(size.sizes.count) sides, expected \(multiples.count) "
          + (isOfVolumes ? "(depth, height, width)" : "(height, width)"))
    }
    let near = zip(size.sizes, multiples).map { side, multiple in
      (min(max(side, multiple), SliceSides.largest) + multiple - 1) / multiple * multiple
    }
    let isEven = Set(multiples).count == 1
    return Refusal(
      .input,
      "The network's size \(size) must be multiples of \(isEven ? "\(multiples[0])" : "\(Extent(multiples))") from "
        + "\(isEven ? "\(multiples[0])" : "\(Extent(multiples))") to \(SliceSides.largest), such as \(Extent(near))")
  }

  /// Size of slices after resampling, in pixels.
  package func resampledSize(_ geometry: Geometry) -> ImageSize {
    let size = resampledVoxels(geometry)
    return ImageSize(height: size.y, width: size.x)
  }

  /// Voxels along x, y and z after resampling.
  package func resampledVoxels(_ geometry: Geometry) -> SIMD3<Int> {
    switch resampling {
    case .none: return geometry.size
    case .spacingMM(let x, let y, let z) where nnUNet != nil:
      return NNUNetPreparation.voxels(geometry, spacingMM: SIMD3(x, y, z ?? geometry.spacingMM.z))
    case .spacingMM(let x, let y, let z):
      func voxels(_ axis: Int, _ spacing: Double) -> Int {
        let count = (Double(geometry.size[axis]) * geometry.spacingMM[axis] / spacing).rounded()
        return Int(min(max(count, 1), 1e9))  // a header may claim any extent
      }
      return SIMD3(voxels(0, x), voxels(1, y), z.map { voxels(2, $0) } ?? geometry.size.z)
    case .size(let height, let width): return SIMD3(width, height, geometry.size.z)
    }
  }
}

extension ModelDescription {
  /// The preparation in one line for printing.
  package var preparationText: String { preparation.text(training?.arePictures == true ? .px : .mm) }
}

extension PreparationPlan {
  /// The plan in one line, with lengths in `unit`. A picture's pixel counts as 1 mm.
  func text(_ unit: LengthUnit = .mm) -> String {
    var steps: [String] = []
    if let nnUNet { steps.append(nnUNet.text) }
    if let window { steps.append("clip to \(short(window.low))…\(short(window.high))") }
    switch whitening {
    case _ where nnUNet != nil: break
    case .volume: steps.append("whiten per volume")
    case .foreground: steps.append("whiten per volume by its brighter voxels")
    case .ct:
      steps.append("whiten all volumes by mean \(short(moments!.mean)) and deviation \(short(moments!.deviation))")
    }
    switch resampling {
    case .none: steps.append("no resampling")
    case .spacingMM(let x, let y, nil):
      steps.append("resample in plane to \(short(x))×\(short(y)) \(unit.rawValue)")
    case .spacingMM(let x, let y, let z?):
      steps.append("resample to \(short(x))×\(short(y))×\(short(z)) \(unit.rawValue)")
    case .size(let height, let width): steps.append("resample in plane to \(height)×\(width) pixels (H×W)")
    }
    let size = networkSize.map { "windows of \($0) (\(isOfVolumes ? "D×H×W" : "H×W"))" }
    switch (size, padsSlices) {
    case (let size?, true): steps.append(size)
    case (nil, true): steps.append("pad to multiples of \(sizeMultiple)")
    case (let size?, false): steps.append(size + " in training, slices as they are in prediction")
    case (nil, false): steps.append("slices as they are")
    }
    if !isOfVolumes { steps.append(counted(contextSlices, "slice") + " an input") }
    return steps.joined(separator: ", ")
  }
}
