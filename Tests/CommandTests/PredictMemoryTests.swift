import Foundation
import MedicalImaging
import Testing

#if os(Linux)  // for /proc, which has a process's peak memory
  @Suite struct PredictMemoryTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The peak memory, in bytes, of segmenting a scan repeated `count` times; and the volume's number of voxels.
    private func peak(repeating count: Int) throws -> (bytes: Int, voxels: Int) {
      let scan = try Image(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case01.nii.gz"))
      var geometry = scan.geometry
      geometry.size.z *= count
      let file = folder.file("\(count).nii")
      try Image(voxels: Array(repeatElement(scan.voxels, count: count).joined()), geometry: geometry)
        .writeCompactly(to: file)
      let command = try RunningCommand([
        "predict", "--model", Tiny.run.path, "--input", file.path, "--output", folder.file("\(count)-mask.nii").path,
        "--threads", "1", "--quiet",
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
      #expect(result.status == 0 && result.errors == "")
      #expect(try Image(contentsOf: folder.file("\(count)-mask.nii")).geometry.size == geometry.size)
      return (bytes, geometry.voxelCount)
    }

    /// Memory grows by a float32 per voxel and a byte per mask voxel only.
    @Test(.endsSomeTime) func memoryGrowsByTheVolumeAndItsMaskOnly() throws {
      let (few, many) = (try peak(repeating: 150), try peak(repeating: 1500))
      let bytesAVoxel = Double(many.bytes - few.bytes) / Double(many.voxels - few.voxels)
      #expect(few.bytes > 50 << 20 && bytesAVoxel < 6, "\(bytesAVoxel) bytes a voxel")
    }
  }
#endif
