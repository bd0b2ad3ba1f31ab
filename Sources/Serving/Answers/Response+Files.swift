import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
  static func json(_ value: JSONText, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.data)))
  }

  static func bytes(_ bytes: some Collection<UInt8>, type: String) -> Response {
    Response(status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// A file's contents with their length, since MONAI Label's client reads no chunked answer.
  ///
  /// - Parameters:
  ///   - name: the file's name for the client.
  ///   - owner: an object that keeps the file until it is sent.
  /// - Throws: `ServiceError` for a file that is gone.
  static func file(_ url: URL, named name: String, keeping owner: (any Sendable)? = nil) throws -> Response {
    let size = try fileSize(of: url)
    return Response(
      status: .ok,
      headers: [
        .contentType: contentType(ofFile: name), .contentDisposition: disposition(ofFile: name),
      ],
      body: ResponseBody(contentLength: size) { writer in
        try await writer.write(contentsOf: url, size: size)
        try await writer.finish(nil)
        withExtendedLifetime(owner) {}
      })
  }

  /// The form of MONAI Label's answers: parameters as JSON, and an image.
  ///
  /// - Throws: `ServiceError` for a file that is gone.
  static func form(
    _ parameters: JSONText, image url: URL, named name: String, keeping owner: (any Sendable)? = nil
  ) throws -> Response {
    let boundary = "dualnorm-" + String(UInt64.random(in: 0...UInt64.max), radix: 16)
    let head = """
      --\(boundary)\r
      Content-Disposition: form-data; name="params"\r
      Content-Type: application/json\r
      \r
      \(parameters.text)\r
      --\(boundary)\r
      Content-Disposition: form-data; name="image"; filename="\(name)"\r
      Content-Type: \(contentType(ofFile: name))\r
      \r

      """
    let tail = "\r\n--\(boundary)--\r\n"
    let size = try fileSize(of: url)
    return Response(
      status: .ok, headers: [.contentType: "multipart/form-data; boundary=\(boundary)"],
      body: ResponseBody(contentLength: head.utf8.count + size + tail.utf8.count) { writer in
        try await writer.write(ByteBuffer(string: head))
        try await writer.write(contentsOf: url, size: size)
        try await writer.write(ByteBuffer(string: tail))
        try await writer.finish(nil)
        withExtendedLifetime(owner) {}
      })
  }

  /// The same answer with sentences on doubts, each in a header, where the body has no place for them.
  func warning(_ sentences: [String]) -> Response {
    var response = self
    for sentence in sentences {
      let plain = String(sentence.unicodeScalars.map { 32...126 ~= $0.value ? Character($0) : "?" })
      response.headers.append(HTTPField(name: HTTPField.Name("X-DualNorm-Warning")!, value: plain))
    }
    return response
  }

  private static func fileSize(of url: URL) throws -> Int {
    guard let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int else {
      throw ServiceError.notFound("The file is gone; ask for it anew.")
    }
    return size
  }

  /// The header that names a download: plain letters for old programs, and the whole name (RFC 6266).
  private static func disposition(ofFile name: String) -> String {
    let plain = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_. ".contains($0)) ? $0 : "_" })
    guard plain != name else { return #"attachment; filename="\#(name)""# }
    let letters = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    let coded = name.addingPercentEncoding(withAllowedCharacters: letters) ?? plain
    return #"attachment; filename="\#(plain)"; filename*=UTF-8''\#(coded)"#
  }

  static func contentType(ofFile name: String) -> String {
    let types = [
      (".nii.gz", "application/gzip"), (".png", "image/png"), (".dcm", "application/dicom"), (".html", "text/html"),
    ]
    return types.first { name.lowercased().hasSuffix($0.0) }?.1 ?? "application/octet-stream"
  }
}

extension ResponseBodyWriter {
  /// Writes as many bytes of a file as were announced.
  ///
  /// - Throws: an error that ends the connection, where the file became shorter meanwhile.
  fileprivate mutating func write(contentsOf url: URL, size: Int) async throws {
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    var left = size
    while left > 0 {
      guard let piece = try file.read(upToCount: min(left, 1 << 18)), !piece.isEmpty else { throw Shortened() }
      left -= piece.count
      try await write(ByteBuffer(bytes: piece))
    }
  }
}

private struct Shortened: Error {}
