import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct PreparedVolumeTests {
  func prepare(
    _ images: Image..., labels: ClassMap? = nil, plan: PreparationPlan
  ) throws -> PreparedVolume {
    try PreparedVolume(
      images: images, labels: labels, plan: plan, names: images.indices.map { "/data/image\($0).nii.gz" })
  }

  @Test func whiteningUsesThePopulation() throws {
    let ramp = image([16, 16, 1]) { x, y, _ in Float(x + 16 * y) }
    let prepared = try prepare(ramp, plan: PreparationPlan())
    // 0 … 255: mean 127.5, population variance (256² − 1) / 12.
    let deviation = ((256.0 * 256 - 1) / 12).squareRoot()
    for index in [0, 100, 255] {
      #expect(abs(Double(prepared.channels[index]) - (Double(index) - 127.5) / deviation) < 1e-6)
    }
    let windowed = try prepare(ramp, plan: PreparationPlan(window: IntensityWindow(100, 101)))
    // 101 voxels are clipped to 100, and 155 to 101. In deviations, they lie √(p/(1−p)) below and √((1−p)/p) above the
    // mean.
    let p = 155.0 / 256
    #expect(abs(Double(windowed.channels[0]) + (p / (1 - p)).squareRoot()) < 1e-6)
    #expect(abs(Double(windowed.channels[255]) - ((1 - p) / p).squareRoot()) < 1e-6)
  }

  /// Voxels without data count neither for mean and deviation nor as foreground.
  @Test(arguments: [PreparationPlan.Whitening.volume, .foreground])
  func whiteningLeavesOutWhatWasNotMeasured(whitening: PreparationPlan.Whitening) throws {
    let plan = try PreparationPlan(whitening: whitening)
    let measured = image([16, 16, 1]) { x, y, _ in Float(x + 16 * y) }
    var padded = image([16, 16, 2]) { x, y, z in z == 0 ? Float(x + 16 * y) : -2000 }
    padded.noData = (0..<512).map { $0 >= 256 }
    let expected = try prepare(measured, plan: plan).channels
    #expect(try Array(prepare(padded, plan: plan).channels[..<256]) == expected)
    var constant = padded
    for index in 0..<256 { constant.voxels[index] = 7 }
    #expect(throws: Refusal.self) { try prepare(constant, plan: plan) }
  }

  /// The brighter voxels are a nearly constant background, as on a film before a lamp.
  @Test func aBrightConstantBackgroundIsNoForeground() throws {
    func whitened(_ image: Image, _ whitening: PreparationPlan.Whitening) throws -> [Float] {
      try prepare(image, plan: PreparationPlan(whitening: whitening)).channels
    }
    let film = image([16, 16, 1]) { x, y, _ in x < 4 ? Float(10 * x + y) : 1000 + Float(y % 2) }
    #expect(try whitened(film, .foreground) == whitened(film, .volume))
    #expect(try whitened(film, .foreground).allSatisfy { abs($0) < 3 })
    let body = image([16, 16, 1]) { x, y, _ in x < 4 ? 0 : 1000 + Float(20 * y) }
    #expect(try whitened(body, .foreground) != whitened(body, .volume))
  }

  @Test func eachModalityIsWhitenedAlone() throws {
    let small = image([16, 16, 2]) { x, y, z in Float(x + y + z) }
    var large = small
    large.voxels = small.voxels.map { 1e6 - 1000 * $0 }
    let prepared = try prepare(small, large, plan: PreparationPlan())
    let half = prepared.channels.count / 2
    #expect(prepared.modalityCount == 2)
    #expect(zip(prepared.channels[..<half], prepared.channels[half...]).allSatisfy { abs($0 + $1) < 1e-4 })
  }

  @Test(arguments: [SIMD3(35, 51, 4), SIMD3(9, 20, 2)])
  func withoutResamplingTheWayBackIsExact(_ size: SIMD3<Int>) throws {
    let geometry = Geometry(size: size, spacingMM: [0.5, 0.7, 3], originMM: [1, 2, 3], direction: obliqueDirection)
    var generator = SeededGenerator(seed: 2)
    let labels: ClassMap = volume(geometry) { _, _, _ in UInt8(1 + generator.integer(below: 3)) }
    let size = Extent(height: 16, width: 80)
    let prepared = try prepare(noise(geometry, seed: 1), labels: labels, plan: PreparationPlan(networkSize: size))
    #expect(prepared.size == ImageSize(height: geometry.size.y, width: geometry.size.x))
    let back = prepared.grid.restored([prepared.channels])[0]
    #expect(back.geometry == geometry && back.voxels == prepared.channels)
    #expect(prepared.restored(labels: try #require(prepared.labels)) == labels)
  }

  @Test func inputsAreModalityMajorAndRepeatTheEdgeSlices() throws {
    let first = image([16, 16, 3]) { x, _, z in Float(x + 100 * z) }
    let second = image([16, 16, 3]) { x, y, z in Float(7 * y - 50 * z * z) }
    let prepared = try prepare(first, second, plan: PreparationPlan())
    let plane = 256
    func slice(_ modality: Int, _ z: Int) -> [Float] {
      Array(prepared.channels[(modality * 3 + z) * plane..<(modality * 3 + z + 1) * plane])
    }
    #expect(
      prepared.input(slice: 1, context: 3) == [0, 1, 2].flatMap { slice(0, $0) } + [0, 1, 2].flatMap { slice(1, $0) })
    #expect(
      prepared.input(slice: 0, context: 3) == [0, 0, 1].flatMap { slice(0, $0) } + [0, 0, 1].flatMap { slice(1, $0) })
    #expect(
      prepared.input(slice: 2, context: 7)
        == [0, 0, 1, 2, 2, 2, 2].flatMap { slice(0, $0) } + [0, 0, 1, 2, 2, 2, 2].flatMap { slice(1, $0) })
    #expect(prepared.input(slice: 2, context: 1) == slice(0, 2) + slice(1, 2))
  }

  @Test(arguments: [
    PreparationPlan.Resampling.spacingMM(x: 1.3, y: 0.9), .spacingMM(x: 0.31, y: 0.45), .size(height: 40, width: 56),
    .size(height: 23, width: 17),
  ])
  func resamplingLeavesALinearImageLinear(_ resampling: PreparationPlan.Resampling) throws {
    // On an oblique grid, linear interpolation preserves a linear function of position, there and back.
    let geometry = Geometry(
      size: [40, 30, 3], spacingMM: [0.8, 0.6, 3], originMM: [-20, 7, 3], direction: obliqueDirection)
    let ramp: Image = volume(geometry) { x, y, z in Float(2 * Double(x) + 3 * Double(y) + 50 * Double(z)) }
    let prepared = try prepare(ramp, plan: PreparationPlan(resampling: resampling))
    let whitened = try prepare(ramp, plan: PreparationPlan(networkSize: Extent(height: 32, width: 48)))
    let expected = whitened.grid.restored([whitened.channels])[0]
    let back = prepared.grid.restored([prepared.channels])[0]
    #expect(back.geometry == geometry)
    var worst: Float = 0
    for z in 0..<3 {
      for y in 3..<27 {
        for x in 3..<37 { worst = max(worst, abs(back[x, y, z] - expected[x, y, z])) }
      }
    }
    #expect(worst < 1e-4)
    #expect(back.voxels.allSatisfy { abs($0) < 3 })
  }

  @Test func labelsAreResampledToTheNearest() throws {
    let geometry = Geometry(size: [16, 16, 2], spacingMM: [1, 1, 2])
    let labels: ClassMap = volume(geometry) { x, y, _ in x < 8 ? 3 : y < 8 ? 7 : 0 }
    let plan = try PreparationPlan(resampling: .spacingMM(x: 0.5, y: 0.5))
    let prepared = try prepare(noise(geometry, seed: 3), labels: labels, plan: plan)
    #expect((prepared.height, prepared.width) == (32, 32))
    let fine: ClassMap = volume(Geometry(size: [32, 32, 2])) { x, y, _ in x < 16 ? 3 : y < 16 ? 7 : 0 }
    #expect(prepared.labels == fine.voxels)
    #expect(prepared.restored(labels: fine.voxels) == labels)
  }

  @Test func classMapsComeBackAsProbabilities() throws {
    // Resampled to 30×30.
    let geometry = Geometry(size: [60, 60, 2], spacingMM: [0.5, 0.5, 1])
    let plan = try PreparationPlan(
      resampling: .spacingMM(x: 1, y: 1), networkSize: Extent(height: 16, width: 16))
    let prepared = try prepare(noise(geometry, seed: 4), plan: plan)
    var generator = SeededGenerator(seed: 5)
    let foreground = (0..<2 * 30 * 30).map { _ in Float(generator.uniform()) }
    let maps = prepared.grid.restored([foreground.map { 1 - $0 }, foreground])
    #expect(zip(maps[0].voxels, maps[1].voxels).allSatisfy { abs($0 + $1 - 1) < 1e-6 })
    #expect(maps[1].voxels.contains { $0 > 0.5 } && maps[1].voxels.contains { $0 < 0.5 })
  }

  @Test func unusableImagesAreNamed() throws {
    let plan = try PreparationPlan()
    let flat = image([16, 16, 1]) { _, _, _ in 0.1 }
    #expect(
      sentence { try prepare(flat, plan: plan) }
        == "/data/image0.nii.gz: every voxel is 0.1, expected an image with contrast; leave this case out or restore the file."
    )
    var broken = image([16, 16, 1]) { x, _, _ in Float(x) }
    broken.voxels[3] = .nan
    broken.voxels[5] = -.infinity
    #expect(
      sentence { try prepare(broken, plan: plan) }
        == "/data/image0.nii.gz: 2 voxels NaN or infinite, expected numbers only; repair the image, for example by setting "
        + "them to the background's intensity.")
    let ramp = image([16, 16, 1]) { x, _, _ in Float(x) }
    #expect(
      sentence { try prepare(ramp, plan: PreparationPlan(window: IntensityWindow(20, 30))) }
        == "/data/image0.nii.gz: every voxel is the same after clipping to 20…30; give a --window that holds the image's "
        + "intensities.")
    #expect(
      sentence { try prepare(image([1, 51, 30]) { _, y, z in Float(y * z) }, plan: plan) }
        == "/data/image0.nii.gz: slices of 51×1 pixels (H×W), expected at least 8 a side because the network halves them "
        + "4 times; leave this volume out or give a finer --spacing.")
  }

  @Test func filesAreReadWithTheirClasses() throws {
    let folder = try DataFolder()
    let geometry = Geometry(size: [20, 18, 3], spacingMM: [0.5, 0.5, 3], direction: obliqueDirection)
    let labels: LabelMap = volume(geometry) { x, _, _ in x < 5 ? 2 : x < 10 ? 1 : 0 }
    let files = ["a.nii.gz", "a_seg.nii.gz", "b.nii.gz"].map { folder.url.appendingPathComponent($0) }
    try noise(geometry, seed: 6).write(to: files[0])
    try labels.write(to: files[1])
    let scan = Case(name: "a", site: "s", images: [files[0]], mask: files[1])
    let scheme = try LabelScheme(values: [1, 2], merge: [[1, 2]])
    let prepared = try PreparedVolume(reading: scan, scheme: scheme, plan: PreparationPlan())
    #expect(prepared.labels?.count { $0 == 1 } == 10 * 18 * 3 && prepared.labels?.contains(2) == false)
    #expect(prepared.labels(slice: 1)?.count == 20 * 18)
    let unlabelled = try PreparedVolume(reading: scan, scheme: nil, plan: PreparationPlan())
    #expect(unlabelled.labels == nil && unlabelled.channels == prepared.channels)

    var moved = geometry
    moved.originMM.x += 5
    try noise(moved, seed: 7).write(to: files[2])
    let difference = try #require(moved.mismatch(with: geometry))
    let second = Case(name: "a", site: "s", images: [files[0], files[2]], mask: nil)
    #expect(
      sentence { try PreparedVolume(reading: second, scheme: nil, plan: PreparationPlan()) }
        .hasPrefix("\(files[2].path): does not lie on the voxels of \(files[0].path), another modality of the case: "))
    let wrong = Case(name: "b", site: "s", images: [files[2]], mask: files[1])
    let message = sentence { try PreparedVolume(reading: wrong, scheme: scheme, plan: PreparationPlan()) }
    #expect(message.hasPrefix("\(files[1].path): does not lie on the voxels of its image \(files[2].path): "))
    #expect(message.hasSuffix("; resample the mask onto the image or correct the wrong header."))
    #expect(!difference.isEmpty)
  }
}
