import Basics
public import Foundation
import SwiftProtobuf

/// A file of events for TensorBoard: scalars, pictures and histograms, each with a name and a step.
///
/// TensorBoard reads the file while it grows, and ignores an incomplete last event.
public final class EventFile {
  public let url: URL
  private let file: FileHandle

  /// Creates a new file in `folder`, beside those of earlier starts of the same run.
  ///
  /// - Parameter step: the file's first step. TensorBoard ignores this and later steps in older files.
  /// - Throws: `Refusal` if the file cannot be created.
  public init(in folder: URL, from step: Int) throws {
    let seconds = Int(Date().timeIntervalSince1970)
    let process = ProcessInfo.processInfo
    func candidate(_ number: Int) -> URL {
      folder.appendingPathComponent(
        "events.out.tfevents.\(seconds).\(process.hostName).\(process.processIdentifier).\(number)")
    }
    try makeFolder(folder)
    var number = 0
    while FileManager.default.fileExists(atPath: candidate(number).path) { number += 1 }
    url = candidate(number)
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(url, errno) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try write(step: 0) { $0.fileVersion = "brain.Event:2" }
    try write(step: step) { $0.sessionLog = .with { $0.status = .start } }
  }

  /// Appends values for a step.
  ///
  /// - Throws: `Refusal` if the file cannot be written.
  public func append(_ values: [EventValue], step: Int) throws {
    guard !values.isEmpty else { return }
    try write(step: step) { $0.summary.value = values.map(\.message) }
  }

  private func write(step: Int, _ fill: (inout Tensorboard_Event) -> Void) throws {
    var event = Tensorboard_Event()
    event.wallTime = Date().timeIntervalSince1970
    event.step = Int64(step)
    fill(&event)
    let record = record(of: try event.serializedBytes())
    guard record.withUnsafeBytes({ writeAll($0, to: file.fileDescriptor) }) else { throw unwritable(url, errno) }
  }
}

/// A TFRecord: the length and its checksum, the bytes and their checksum, all little-endian.
func record(of bytes: [UInt8]) -> Data {
  func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }
  let length = littleEndian(UInt64(bytes.count))
  return Data(length + littleEndian(CRC32C.masked(length)) + bytes + littleEndian(CRC32C.masked(bytes)))
}
