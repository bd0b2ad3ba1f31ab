import Foundation
import MedicalImaging
import Testing
import Torch

@testable import DualNorm

#if os(Linux)  // for /proc, which has a process's peak memory
  @Suite struct PredictMemoryTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The peak memory, in bytes, of segmenting a scan repeated `count` times; and the volume's number of voxels.
    private func peak(repeating count: Int, _ model: URL) throws -> (bytes: Int, voxels: Int) {
      let scan = try Image(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"))
      var geometry = scan.geometry
      geometry.size.z *= count
      let file = folder.file("\(count).nii")
      try Image(voxels: Array(repeatElement(scan.voxels, count: count).joined()), geometry: geometry)
        .writeCompactly(to: file)
      let command = try RunningCommand([
        "predict", "--model", model.path, "--input", file.path, "--output", folder.file("\(count)-mask.nii").path,
        "--threads", "1", "--no-largest-component", "--quiet",
      ])
      let status = URL(fileURLWithPath: "/proc/\(command.processIdentifier)/status")
      var bytes = 0
      while command.isRunning {
        let line = (try? String(contentsOf: status, encoding: .utf8))?.split(separator: "\n")
          .first { $0.hasPrefix("VmHWM:") }
        if let kibibytes = line?.split(separator: " ").compactMap({ Int($0) }).first { bytes = kibibytes << 10 }
        usleep(2000)
      }
      let result = try command.finish()
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      #expect(try Image(contentsOf: folder.file("\(count)-mask.nii")).geometry.size == geometry.size)
      return (bytes, geometry.voxelCount)
    }

    /// Memory grows by a float32 per voxel and a byte per mask voxel only. The search for components takes more.
    @Test(.endsSomeTime) func memoryGrowsByTheVolumeAndItsMaskOnly() throws {
      try expectVolumeAndMaskOnly(Tiny.run)
    }

    /// The same for windows of a 3-D network that overlap, with 20 classes, whose scores take 80 bytes a voxel.
    @Test(.endsSomeTime) func scoresOf3DWindowsDoNotGrowWithTheSlices() throws {
      let network = try DualNormNetwork(
        NetworkPlan(
          levels: Levels(spacing: [1, 1, 1], window: [8, 32, 32]), classes: 20, inputChannels: 1, width: 2), seed: 1)
      let (file, model) = (folder.file("weights.safetensors"), folder.file("model"))
      try Safetensors(tensors: network.parameters.stateDictionary).write(to: file)
      let imported = try dualnorm(
        "import", file.path, "--output", model.path, "--size", "8,32,32", "--quiet")
      #expect(imported.status == 0, "\(imported.errors)")
      try expectVolumeAndMaskOnly(model)
    }

    private func expectVolumeAndMaskOnly(_ model: URL) throws {
      let (few, many) = (try peak(repeating: 150, model), try peak(repeating: 1500, model))
      let bytesAVoxel = Double(many.bytes - few.bytes) / Double(many.voxels - few.voxels)
      #expect(few.bytes > 50 << 20 && bytesAVoxel < 6, "\(bytesAVoxel) bytes a voxel")
    }
  }
#endif
