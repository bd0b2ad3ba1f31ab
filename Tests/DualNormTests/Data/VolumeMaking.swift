import Foundation
import MedicalImaging
import Torch

@testable import Basics
@testable import DualNorm

/// An image whose voxels are a function of x, y, z.
func image(_ size: SIMD3<Int>, spacing: SIMD3<Double> = [1, 1, 1], _ value: (Int, Int, Int) -> Float) -> Image {
  volume(Geometry(size: size, spacingMM: spacing), value)
}

func volume<Voxel>(_ geometry: Geometry, _ value: (Int, Int, Int) -> Voxel) -> Volume<Voxel> {
  let size = geometry.size
  let voxels = (0..<geometry.voxelCount).map { value($0 % size.x, $0 / size.x % size.y, $0 / size.x / size.y) }
  return Volume(voxels: voxels, geometry: geometry)
}

/// An image of random intensities; the same for the same seed.
func noise(_ geometry: Geometry, seed: UInt64) -> Image {
  var generator = SeededGenerator(seed: seed)
  return volume(geometry) { _, _, _ in Float(100 + 10 * generator.normal()) }
}

extension DualNormNetwork {
  private func sampling(of volume: PreparedVolume) -> SliceSampling {
    try! SliceSampling(PreparationPlan(contextSlices: plan.inputChannels / volume.modalityCount))
  }

  /// Class probabilities of all slices.
  func probabilities(
    of volume: PreparedVolume, passes: Set<Pass> = [.final], site: Int? = nil
  ) -> [Pass: ClassProbabilities] {
    let none = ClassProbabilities(repeating: [], count: plan.classes)
    var result = Dictionary(uniqueKeysWithValues: passes.map { ($0, none) })
    let segmenter = segmenter(ofSite: site)
    segmenter.forEachSlab(of: volume, sampling(of: volume), passes: passes, on: device) { pass, _, scores in
      for (index, values) in scores.probabilitiesByClass.enumerated() { result[pass]![index] += values }
    }
    return result
  }

  func batchStatistics(
    of volumes: [PreparedVolume], site: Int?, progress: (Int, Int) throws -> Void
  ) rethrows -> BatchStatistics {
    try batchStatistics(of: volumes, sampling(of: volumes[0]), site: site, progress: progress)
  }

  func batchStatistics(of volumes: [PreparedVolume], site: Int?) -> BatchStatistics {
    batchStatistics(of: volumes, site: site) { _, _ in }
  }

  func dualMaps(of volume: PreparedVolume, slice z: Int) -> [DualMap] {
    let sampling = sampling(of: volume)
    return dualMaps(of: volume, slice: z, sampling)
  }

  /// All slices of volumes.
  func input(_ volumes: [PreparedVolume]) -> NetworkInput {
    let sampling = sampling(of: volumes[0])
    return sampling.input(
      volumes.flatMap { volume in sampling.windows(covering: volume).map { (volume, $0) } }, on: device)
  }
}

extension PreparedVolume {
  /// The network's input for a whole slice.
  func input(slice z: Int, context: Int) -> [Float] {
    input(
      slices: z - context / 2..<z + context / 2 + 1, in: Window(slices: z..<z + 1, rows: 0..<height, columns: 0..<width)
    )
  }

  /// Classes brought back to the original grid, as `grid.restored` brings maps back.
  func restored(labels: [UInt8]) -> ClassMap {
    let map = grid.restored([labels.map(Float.init)])[0]
    return ClassMap(voxels: map.voxels.map { UInt8($0.rounded()) }, geometry: map.geometry)
  }
}

/// A 30° rotation about z, then a tilt: neither axis-aligned nor symmetric.
let obliqueDirection: [Double] = {
  let (c, s, u, v) = (0.75.squareRoot(), 0.5, 0.96, 0.28)
  return [c, -s * u, s * v, s, c * u, -c * v, 0, v, u]
}()

/// Writes the voxels, at 1 mm, to `.mha`; unlike NIfTI's reader, MetaImage's keeps NaN.
func writeMetaImage(_ image: Image, to url: URL) throws {
  let size = image.geometry.size
  let header = """
    ObjectType = Image
    NDims = 3
    BinaryData = True
    BinaryDataByteOrderMSB = False
    CompressedData = False
    TransformMatrix = 1 0 0 0 1 0 0 0 1
    Offset = 0 0 0
    ElementSpacing = 1 1 1
    DimSize = \(size.x) \(size.y) \(size.z)
    ElementType = MET_FLOAT
    ElementDataFile = LOCAL

    """
  try (Data(header.utf8) + image.voxels.withUnsafeBytes { Data($0) }).write(to: url)
}
