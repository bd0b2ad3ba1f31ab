import Basics
import Foundation
import Testing
import Torch

/// A file from Tools/fixtures_weights.py.
func fixture(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Fixtures/weights/\(name)")
    .standardizedFileURL
}

/// A folder that is removed with this object.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("weights-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ contents: Data, _ name: String = "file") throws -> URL {
    let file = url.appendingPathComponent(name)
    // Data's `write` would wait for the disk each time. A new file, because ext4 waits when one is truncated.
    unlink(file.path)
    let handle = FileHandle(fileDescriptor: open(file.path, O_CREAT | O_WRONLY, 0o600), closeOnDealloc: true)
    try handle.write(contentsOf: contents)
    return file
  }
}

/// The sentence that refuses a file, with FILE for its path; nil if it was read.
func refusal(_ url: URL, _ read: (URL) throws -> Any) throws -> String? {
  do {
    _ = try read(url)
    return nil
  } catch let error as Refusal {
    return error.description.replacingOccurrences(of: url.path, with: "FILE")
  }
}

func bytes<Number: FixedWidthInteger>(_ number: Number) -> Data {
  withUnsafeBytes(of: number.littleEndian) { Data($0) }
}

/// A safetensors file with this header, valid or not.
func safetensors(_ header: String, data: Data = Data()) -> Data {
  bytes(UInt64(header.utf8.count)) + Data(header.utf8) + data
}

/// Compares names, order, types, shapes and bytes.
func expectSame(
  _ found: [(name: String, tensor: StoredTensor)], _ expected: [(name: String, tensor: StoredTensor)],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.map(\.name) == expected.map(\.name), sourceLocation: sourceLocation)
  for (found, expected) in zip(found, expected) {
    #expect(found.tensor == expected.tensor, "\(found.name)", sourceLocation: sourceLocation)
  }
}
