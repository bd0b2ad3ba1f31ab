import Basics
import Foundation

/// A reason not to read a DICOM file, and the action that helps.
struct DICOMFault: Error {
  let found: String
  let advice: String

  init(_ found: String, advice: String = "copy it again from its source") {
    (self.found, self.advice) = (found, advice)
  }

  init(_ what: String, _ tag: UInt32, advice: String = "copy it again from its source") {
    self.init("\(what) element \(DICOMFault.name(tag))", advice: advice)
  }

  static func name(_ tag: UInt32) -> String { String(format: "(%04x,%04x)", tag >> 16, tag & 0xffff) }
}

/// A file's bytes through a window that is read, not mapped: a mapped file that shrinks would end the process.
final class DICOMBytes {
  /// The size of the whole file in bytes.
  let count: Int
  private let file: FileHandle
  private var window = [UInt8](repeating: 0, count: 1 << 16)
  /// The part of the file that the window holds.
  private var held = 0..<0

  /// - Throws: `Refusal` for a file that may not be read.
  init(_ url: URL) throws {
    // Opening a pipe without O_NONBLOCK would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Refusal(.image, url.path, "this file may not be read", remedy: "change its permissions")
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Refusal(.image, url.path, "is not a regular file", remedy: "give a DICOM file")
    }
    count = Int(status.st_size)
  }

  func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, at offset: Int, isBigEndian: Bool = false
  ) throws(DICOMFault) -> Value {
    let size = MemoryLayout<Value>.size
    if offset < held.lowerBound || offset + size > held.upperBound { try read(at: offset, atLeast: size) }
    let place = offset - held.lowerBound
    let value = window.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: type) }
    return isBigEndian ? Value(bigEndian: value) : Value(littleEndian: value)
  }

  /// Reads at most as many bytes as the window holds.
  func bytes(at offset: Int, count: Int) throws(DICOMFault) -> [UInt8] {
    if offset < held.lowerBound || offset + count > held.upperBound { try read(at: offset, atLeast: count) }
    let place = offset - held.lowerBound
    return Array(window[place..<place + count])
  }

  private func read(at offset: Int, atLeast needed: Int) throws(DICOMFault) {
    precondition(offset >= 0 && needed <= window.count && offset <= count - needed, "\(needed) bytes at \(offset)")
    let descriptor = file.fileDescriptor
    var done = 0
    var failure: Int32 = 0
    window.withUnsafeMutableBytes { window in
      while done < needed {
        let more = pread(descriptor, window.baseAddress! + done, window.count - done, off_t(offset + done))
        if more == 0 { break }
        if more < 0 && errno != EINTR {
          failure = errno
          break
        }
        done += max(more, 0)
      }
    }
    held = offset..<offset + done
    guard failure == 0 else {
      throw DICOMFault(
        "the disk does not give its bytes (\(String(cString: strerror(failure))))", advice: "check the disk")
    }
    guard done >= needed else { throw DICOMFault("it became shorter while it was read", advice: "try again") }
  }
}
