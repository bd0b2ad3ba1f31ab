import Basics
import Foundation

/// A regular file read piece by piece, after its bounds have been checked.
///
/// A file that shrinks meanwhile is an error. With a mapped file it would be a memory fault.
struct InputFile {
  let path: String
  /// The size in bytes.
  let size: Int
  private let handle: FileHandle

  init(_ url: URL) throws {
    path = url.path
    var status = stat()
    guard stat(path, &status) == 0 else {
      let why = errno == ENOENT ? "there is no such file" : "cannot be read (\(String(cString: strerror(errno))))"
      throw Refusal(.weights, path, why, remedy: "check the path")
    }
    // Opening a pipe would wait for a writer, so check the kind first.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Refusal(.weights, path, "is not a regular file", remedy: "give the path of a file of weights")
    }
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else {
      throw Refusal(
        .weights, path, "cannot be read (\(String(cString: strerror(errno))))", remedy: "check its permissions")
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    size = Int(status.st_size)
    guard size > 0 else { throw Refusal(.weights, path, "is empty", remedy: "give a file of weights") }
  }

  /// Reads exactly `count` bytes from `offset` on.
  func bytes(at offset: Int, count: Int) throws -> Data {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw refusal(
        "ends at byte \(size), before the end of what it should hold", detail: "it is cut short or damaged")
    }
    var data = Data(count: count)
    let done = data.withUnsafeMutableBytes { read(into: $0, at: offset) }
    guard done >= 0 else {
      throw refusal(
        "cannot be read (\(String(cString: strerror(errno))))", remedy: "check the disk")
    }
    guard done == count else { throw refusal("became shorter while it was read", remedy: "try again") }
    return data
  }

  /// Returns the number of bytes read, fewer than requested only at the file's end; -1 sets `errno`.
  private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    var done = 0
    while done < buffer.count {
      let more = pread(handle.fileDescriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if more == 0 { break }
      if more < 0 && errno != EINTR { return -1 }
      done += max(more, 0)
    }
    return done
  }

  /// Returns the refusal of this file.
  func refusal(_ found: String, detail: String = "", remedy: String = "") -> Refusal {
    Refusal(.weights, path, found, detail: detail, remedy: remedy)
  }
}
