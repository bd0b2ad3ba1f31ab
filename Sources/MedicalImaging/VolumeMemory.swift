import Basics
import Foundation

/// The memory limit for one volume or picture, checked by its header before any memory is taken.
public enum VolumeMemory {
  private static let lock = NSLock()
  nonisolated(unsafe) private static var given: Int?  // guarded by the lock

  /// The limit in bytes: the memory of the machine or container, unless `limit(toGigabytes:)` sets another.
  public static var limit: Int { lock.withLock { given } ?? ofMachine }

  public static func limit(toGigabytes gigabytes: Double?) {
    lock.withLock { given = gigabytes.map { Int(min($0 * 1e9, 1e18)) } }
  }

  /// Bytes of the machine's memory, or of the container's if that is less.
  public static let ofMachine: Int = {
    let limit = (try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)).flatMap {
      Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return min(Int(ProcessInfo.processInfo.physicalMemory), limit ?? .max)
  }()

  /// - Parameter voxelBytes: the bytes of a voxel in memory.
  /// - Throws: `Refusal` for a volume that takes more than the limit.
  static func requireRoom(for size: SIMD3<Int>, voxelBytes: Int, of url: URL) throws {
    try requireRoom(for: VolumeShape(size: size), byteCount(size, voxelBytes: voxelBytes), of: url)
  }

  /// - Throws: `Refusal` for a file whose channels take more than the limit; several are in memory twice while they are
  ///   taken apart.
  static func requireRoom(for shape: VolumeShape, of url: URL) throws {
    try requireRoom(for: shape, shape.byteCount(MemoryLayout<Float>.size * (shape.channels > 1 ? 2 : 1)), of: url)
  }

  private static func requireRoom(for shape: VolumeShape, _ needed: Int, of url: URL) throws {
    guard needed > limit else { return }
    func gigabytes(_ bytes: Int) -> String {
      let value = Double(bytes) / 1e9
      return String(format: value < 10 ? "%.2g" : "%.0f", value)
    }
    throw Refusal(
      .image, url.path,
      "its \(shape.text) voxels take \(gigabytes(needed)) GB, and a volume may take "
        + "\(gigabytes(limit)) GB (\(Setting.memory))", remedy: "crop or resample it")
  }
}
