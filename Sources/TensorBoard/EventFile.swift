import Basics
import Foundation
import SwiftProtobuf

/// A file of events that TensorBoard shows: scalars, pictures and histograms, each with a name and a step.
///
/// It is written to its end, as TensorBoard expects, which reads it while it grows and leaves out a last event that is
/// not whole.
public final class EventFile {
  public let url: URL
  private let file: FileHandle

  /// Makes a new file in `folder`, beside those of earlier starts of the same run.
  ///
  /// - Parameter step: the first step that this file tells of; what other files tell of it and of later ones, TensorBoard
  ///   then leaves out.
  /// - Throws: `FileError` if the file cannot be made.
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

  /// Adds what `values` names at a step.
  ///
  /// - Throws: `FileError` if the file cannot be written.
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

/// TFRecord: the length and its checksum, the bytes and theirs, all little-endian.
func record(of bytes: [UInt8]) -> Data {
  func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }
  let length = littleEndian(UInt64(bytes.count))
  return Data(length + littleEndian(CRC32C.masked(length)) + bytes + littleEndian(CRC32C.masked(bytes)))
}
