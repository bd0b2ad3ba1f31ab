import Datasets
import MedicalImaging
import Testing
import Torch

@testable import Basics
@testable import DualNorm

/// Cases whose class scores no memory holds.
@Suite struct ScoreMemoryTests {
  /// Calculated by hand for 3 classes, a slab of 10 voxels and a volume of 20.
  @Test func bytesOfKnownShapes() {
    func expect(slab: Int, volume: Int, _ change: (inout ScoreMemory) -> Void) {
      var memory = ScoreMemory(classes: 3, slabVoxels: 10, voxels: 20)
      change(&memory)
      #expect(memory.bytes == Double(10 * slab + 20 * volume))
    }
    // The sum and the mean, 4 numbers of 4 bytes each; and the mask.
    expect(slab: 32, volume: 1) { _ in }
    expect(slab: 48, volume: 2) { $0.passes = 2 }
    expect(slab: 24, volume: 2) { ($0.passes, $0.sumsWindows) = (2, false) }
    expect(slab: 32 + 18, volume: 1) { $0.restoredVoxels = 15 }
    expect(slab: 32, volume: 9) { $0.keepsUncertainty = true }
    expect(slab: 32, volume: 13) { $0.keepsProbabilities = true }
    // Writing takes 12 bytes a voxel of the volume, and a slab without sums less.
    expect(slab: 0, volume: 12 + 13) { ($0.keepsProbabilities, $0.sumsWindows) = (true, false) }
    expect(slab: 32, volume: 25) { $0.groups = 2 }
  }

  /// 118 classes in 300 slices of 512 × 512 pixels, with windows of 64 slices.
  @Test func manyClassesInALargeVolume() throws {
    var memory = ScoreMemory(classes: 118, slabVoxels: 64 * 512 * 512, voxels: 300 * 512 * 512)
    #expect(memory.bytes == 16_050_552_832)
    try memory.requireRoom(for: "scan.nii.gz", within: 16_050_552_832)
    func refusal(_ memory: ScoreMemory, within room: Int) -> String? {
      let refusal = #expect(throws: Refusal.self) { try memory.requireRoom(for: "scan.nii.gz", within: room) }
      return refusal?.description
    }
    #expect(
      refusal(memory, within: 8_000_000_000)
        == "scan.nii.gz: the scores of 118 classes take about 16 GB, and this machine has 8 GB; crop it, or take a "
        + "machine with more memory.")
    (memory.keepsProbabilities, memory.keepsUncertainty) = (true, true)
    let found = "scan.nii.gz: the scores of 118 classes take about 75 GB, and this machine has 32 GB; leave "
    #expect(
      refusal(memory, within: 32_000_000_000) == found + "\(Setting.probabilities) and \(Setting.uncertainty) out.")
    // Without them it is too large too.
    let cropping = refusal(memory, within: 16_000_000_000)
    #expect(cropping?.hasSuffix(" GB; crop it, or take a machine with more memory.") == true)
  }

  private func memory(_ size: [Int], _ plan: PreparationPlan) throws -> ScoreMemory {
    let image = noise(Geometry(size: [size[2], size[1], size[0]]), seed: 1)
    let volume = try PreparedVolume(images: [image], labels: nil, plan: plan, names: ["scan"])
    return ScoreMemory(of: volume, sampling(plan).windows(covering: volume), classes: 4)
  }

  /// A volume counts with the slices that windows cover at once, in both dimensions of networks.
  @Test func theSlabIsThatOfTheWindows() throws {
    let volumes = try PreparationPlan(
      networkSize: Extent(depth: 8, height: 16, width: 16), contextSlices: 1, multiples: [1, 2, 2])
    let large = try memory([29, 40, 33], volumes)
    #expect(large.sumsWindows && large.slabVoxels == 8 * 40 * 33 && large.voxels == 29 * 40 * 33)
    #expect(large.restoredVoxels == 0)
    let small = try memory([5, 8, 9], volumes)
    #expect(!small.sumsWindows && small.slabVoxels == 5 * 8 * 9)
    let slices = try PreparationPlan(networkSize: Extent(height: 16, width: 16))
    let wide = try memory([40, 20, 24], slices)
    #expect(wide.sumsWindows && wide.slabVoxels == 32 * 20 * 24)
    let narrow = try memory([40, 16, 16], slices)
    #expect(!narrow.sumsWindows && narrow.slabVoxels == 32 * 16 * 16)
  }

  /// A case is refused before it is segmented, by the name of its file.
  @Test func aCaseIsRefused() throws {
    LibTorch.configure(threads: 1)
    let fixture = NNUNetFixture.all[1]
    let folder = try DataFolder()
    let model = try SegmentationModel(contentsOf: try fixture.imported(to: folder.url))
    let item = try model.description.prepared(fixture.scan("first"))
    model.memory = 1000
    let refusal = #expect(throws: Refusal.self) {
      _ = try model.segment(item, site: nil, keepsProbabilities: true)
    }
    let file = fixture.images("first")[0].path
    #expect(refusal?.description.hasPrefix("\(file): the scores of ") == true, "\(String(describing: refusal))")
    model.memory = .max
    #expect(try model.segment(item, site: nil).count == 1)
  }
}
