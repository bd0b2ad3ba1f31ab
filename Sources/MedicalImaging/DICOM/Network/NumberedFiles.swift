import Basics
import Foundation

/// New files in a folder, named by numbers, that the parts of an answer fill.
final class NumberedFiles {
  enum Fault: Error {
    /// A bound is passed.
    case tooLarge
    /// More files came than were announced.
    case surplus
    case empty
    case unwritable
  }

  private let folder: URL
  private let announced: Int
  private let limits: TransferLimits
  private var left: Int
  private var descriptor: Int32 = -1
  private var bytes = 0
  /// The files that are whole.
  private(set) var count = 0

  init(in folder: URL, announced: Int, _ limits: TransferLimits) {
    (self.folder, self.announced, self.limits) = (folder, announced, limits)
    left = limits.seriesBytes(in: folder)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Counts bytes of the answer, be they of a file or not.
  ///
  /// - Throws: `Fault` beyond the bound.
  func expect(_ bytes: Int) throws {
    left -= bytes
    guard left >= 0 else { throw Fault.tooLarge }
  }

  /// - Throws: `Fault`.
  func take(_ event: MultipartSplitter.Event) throws {
    switch event {
    case .part:
      guard count < announced else { throw Fault.surplus }
      // No name comes from the network.
      let path = folder.appendingPathComponent(String(format: "%06d.dcm", count + 1)).path
      descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw Fault.unwritable }
      bytes = 0
    case .bytes(let next):
      bytes += next.count
      guard bytes <= limits.imageBytes else { throw Fault.tooLarge }
      guard writeAll(next, to: descriptor) else { throw Fault.unwritable }
    case .endOfPart:
      guard bytes > 0 else { throw Fault.empty }
      defer { descriptor = -1 }
      guard close(descriptor) == 0 else { throw Fault.unwritable }
      count += 1
    }
  }
}
