import Basics
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Reads the forms of requests into files, within bounds of size, number and time.
final class UploadReader: Sendable {
  private let folder: URL
  private let limits: ServerLimits
  private let open = Atomic(0)

  /// - Parameter folder: the server's own, which holds a folder for each request.
  init(folder: URL, limits: ServerLimits) { (self.folder, self.limits) = (folder, limits) }

  /// A private folder for files that the server makes.
  func makeFolder() throws -> UploadFolder { try UploadFolder(in: folder) }

  /// Reads a form to its end. Its files grow on disk, so memory does not depend on their size.
  ///
  /// - Throws: `ServiceError` for a damaged form, or one beyond the bounds. Nothing of it stays.
  func form(of request: Request) async throws -> Upload {
    var pieces = request.body.makeAsyncIterator()
    return try await form(of: request, &pieces)
  }

  /// Reads a form whose body somebody else iterates.
  func form(of request: Request, _ pieces: inout RequestBody.AsyncIterator) async throws -> Upload {
    if let length = request.headers[.contentLength].flatMap(Int.init), length > limits.bytes { throw tooLarge }
    guard open.add(1, ordering: .relaxed).newValue <= limits.uploads else {
      open.subtract(1, ordering: .relaxed)
      throw ServiceError(
        .serviceUnavailable, "\(limits.uploads) uploads are coming in already; try again later.", retryAfter: 5,
        closesConnection: true)
    }
    defer { open.subtract(1, ordering: .relaxed) }
    let end = ContinuousClock.now + .seconds(limits.bodySeconds)
    var count = 0
    do {
      var form = try FormWriter(request.headers[.contentType] ?? "", UploadFolder(in: folder), limits)
      while let piece = try await pieces.next() {
        count += piece.readableBytes
        guard count <= limits.bytes else { throw tooLarge }
        guard ContinuousClock.now < end else {
          throw ServiceError(
            .requestTimeout, "The request did not arrive within \(limits.bodySeconds) s.", closesConnection: true)
        }
        try piece.withUnsafeReadableBytes { try form.take($0) }
      }
      return try form.finished()
    } catch let fault as MultipartFault {
      throw ServiceError(.badRequest, fault.description, closesConnection: true)
    }
  }

  private var tooLarge: ServiceError {
    ServiceError(
      .contentTooLarge, "The request is larger than \(limits.bytes >> 20) MiB; send less at once.",
      closesConnection: true)
  }
}

/// Writes the parts of a form as they come.
private struct FormWriter {
  private let folder: UploadFolder
  private var reader: MultipartReader
  private var fields: [String: String] = [:]
  private var files: [Upload.File] = []
  private var part: MultipartReader.Part?
  private var text: [UInt8] = []
  private var file: FileHandle?
  private var untilCheck = 0
  private var fieldBytesLeft: Int
  private static let mostFields = 64
  private static let bytesBetweenChecks = 16 << 20
  /// Bytes that stay free for everybody else.
  private static let freeBytes = 1 << 30

  init(_ contentType: String, _ folder: UploadFolder, _ limits: ServerLimits) throws {
    var bounds = MultipartReader.Limits()
    (bounds.parts, bounds.fieldBytes) = (limits.files, limits.fieldBytes)
    reader = try MultipartReader(contentType: contentType, limits: bounds)
    (self.folder, fieldBytesLeft) = (folder, limits.fieldBytes)
  }

  mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
    var events = reader
    defer { reader = events }
    try events.feed(bytes) { try take($0) }
  }

  mutating func finished() throws -> Upload {
    try reader.finish()
    return Upload(folder: folder, fields: fields, files: files)
  }

  private mutating func take(_ event: MultipartReader.Event) throws {
    switch event {
    case .begin(let part):
      self.part = part
      guard let name = part.fileName else { break }
      let url = folder.place(ofFile: files.count, named: name)
      guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
      else {
        throw full
      }
      file = try FileHandle(forWritingTo: url)
      let given = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? "file"
      files.append(Upload.File(field: part.name, givenName: printable(String(given.prefix(100))), url: url))
    case .data(let bytes):
      guard let file else {
        fieldBytesLeft -= bytes.count
        guard fieldBytesLeft >= 0 else {
          throw ServiceError(
            .contentTooLarge, "The fields of the form are too long together; send data as files.",
            closesConnection: true)
        }
        text += bytes
        break
      }
      untilCheck -= bytes.count
      if untilCheck < 0 { try requireRoom() }
      guard writeAll(bytes, to: file.fileDescriptor) else { throw full }
    case .end:
      if let file {
        try file.close()
        self.file = nil
      } else if let part {
        guard fields.count < Self.mostFields else {
          throw ServiceError(
            .contentTooLarge, "The form has more than \(Self.mostFields) fields; send fewer.", closesConnection: true)
        }
        fields[part.name] = String(decoding: text, as: UTF8.self)
        text = []
      }
    case .finished: break
    }
  }

  private mutating func requireRoom() throws {
    untilCheck = Self.bytesBetweenChecks
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.url.path)
    let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max
    guard free > Self.freeBytes else { throw full }
  }

  private var full: ServiceError {
    ServiceError(
      HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
      "The server has no room for the upload; try again later.", retryAfter: 60,
      closesConnection: true)
  }
}
