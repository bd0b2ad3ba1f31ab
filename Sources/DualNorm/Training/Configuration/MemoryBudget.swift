import Basics
import Datasets
import Foundation
import MedicalImaging

/// The memory that prepared volumes may take; the others are kept in files.
final class MemoryBudget: @unchecked Sendable {
  let bytes: Int
  private let lock = NSLock()
  private var taken = 0  // guarded by `lock`

  /// - Parameter gigabytes: the budget; nil for `defaultBytes`.
  init(gigabytes: Double?) {
    bytes = gigabytes.map { Int(min($0 * 1e9, 1e18)) } ?? Self.defaultBytes
  }

  /// Half of the memory of the machine, or of this process's container.
  static var defaultBytes: Int { VolumeMemory.ofMachine / 2 }

  /// Reserves bytes if they still fit; returns whether they did.
  func take(_ count: Int) -> Bool {
    lock.withLock {
      guard taken + count <= bytes else { return false }
      taken += count
      return true
    }
  }

  /// Refuses a budget below the need of a single case.
  ///
  /// - Throws: `Refusal` if the largest case does not fit: its images as read, normalized, and on the network's
  ///   grid, each in float32.
  func requireRoom(for facts: [CaseFacts]) throws {
    func needed(_ facts: CaseFacts) -> Int { 3 * 4 * facts.geometry.voxelCount * max(1, facts.scan.channelCount) }
    guard let largest = facts.max(by: { needed($0) < needed($1) }), needed(largest) > bytes else { return }
    func gigabytes(_ bytes: Int) -> String { String(format: "%.2g", Double(bytes) / 1e9) }
    throw Refusal(
      .input,
      "\(Setting.memory) is \(gigabytes(bytes)) GB, and preparing \(largest.scan.identifier) alone takes "
        + "\(gigabytes(needed(largest))) GB", remedy: "give at least that")
  }
}
