import Basics
import Datasets
import Foundation
import MedicalImaging

/// How much memory prepared volumes may take; those that do not fit wait in files.
final class MemoryBudget: @unchecked Sendable {
  let bytes: Int
  private let lock = NSLock()
  private var taken = 0  // guarded by the lock

  /// - Parameter gigabytes: nil for `defaultBytes`.
  init(gigabytes: Double?) {
    bytes = gigabytes.map { Int(min($0 * 1e9, 1e18)) } ?? Self.defaultBytes
  }

  /// Half of the memory of the machine, or of the container that this process is in.
  static var defaultBytes: Int { VolumeMemory.ofMachine / 2 }

  /// Tells whether so many bytes still fit; then they are taken.
  func take(_ count: Int) -> Bool {
    lock.withLock {
      guard taken + count <= bytes else { return false }
      taken += count
      return true
    }
  }

  /// - Throws: `InputError` if not even one case after the other can be prepared: that takes its images as they are read,
  ///   whitened and on the network's grid, in float32.
  func requireRoom(for facts: [CaseFacts]) throws {
    func needed(_ facts: CaseFacts) -> Int { 3 * 4 * facts.geometry.voxelCount * max(1, facts.scan.images.count) }
    guard let largest = facts.max(by: { needed($0) < needed($1) }), needed(largest) > bytes else { return }
    func gigabytes(_ bytes: Int) -> String { String(format: "%.2g", Double(bytes) / 1e9) }
    throw InputError(
      "--memory is \(gigabytes(bytes)) GB, and preparing \(largest.scan.identifier) alone takes "
        + "\(gigabytes(needed(largest))) GB; give at least that.")
  }
}
