import Basics
package import Foundation

/// A server with DICOMweb (PS3.18), as this program calls it.
package struct DICOMwebServer: SeriesServer {
  package let address: DICOMwebAddress
  let credentials: ServerCredentials?
  /// PEM file of the trusted authorities; nil for this machine's.
  let authorities: URL?
  var limits = TransferLimits()

  package var name: String { address.server }
  package var series: String? { address.series }

  /// - Parameter authorities: a PEM file of certificates, which are trusted in place of this machine's.
  package init(_ address: DICOMwebAddress, credentials: ServerCredentials? = nil, authorities: URL? = nil) {
    (self.address, self.credentials, self.authorities) = (address, credentials, authorities)
  }

  /// A doubt about the connection; nil for one that is encrypted, or that stays on this machine.
  package var warning: String? {
    guard !address.isEncrypted, !address.isLoopback else { return nil }
    return "\(name): the connection is not encrypted, so others in the network can read the images"
      + (credentials == nil ? "" : " and the credentials") + "; give dicomweb+https:// if the server has it."
  }

  /// Fetches through QIDO-RS, which finds and counts the images, and WADO-RS.
  package func fetch(into folder: URL, watcher: @escaping TransferWatcher) throws {
    var progress = TransferProgress()
    try refusing(&progress, folder) { progress in
      let client = try client()
      progress.total = try countImages(client) { watcher(0, 0) }
      try receive(client, into: folder, &progress, watcher)
    }
  }

  /// Stores through STOW-RS, one file a request: a server or its proxy may bound a request's size.
  package func store(_ files: [URL], watcher: @escaping TransferWatcher) throws {
    var progress = TransferProgress(total: files.count)
    try refusing(&progress, nil) { progress in
      let client = try client()
      for file in files {
        try send(client, file, progress) { [progress] in watcher(progress.done, progress.total) }
        progress.done += 1
        guard watcher(progress.done, progress.total) || progress.done == files.count else {
          throw stopped(after: progress)
        }
      }
    }
  }

  private func client() throws -> HTTPClient {
    try HTTPClient(credentials, authorities: authorities, isDirect: address.isLoopback, limits)
  }

  /// Runs a transfer, and makes refusals of its faults.
  private func refusing(
    _ progress: inout TransferProgress, _ folder: URL?, _ body: (inout TransferProgress) throws -> Void
  ) throws {
    do {
      try body(&progress)
    } catch let failure as HTTPFailure {
      throw refusal(of: failure, progress)
    } catch let fault as NumberedFiles.Fault {
      throw refusal(of: fault, progress, folder)
    } catch is MultipartSplitter.Fault {
      throw refusal("sent a damaged multipart answer", lookIntoLog)
    }
  }
}

// MARK: Fetching

extension DICOMwebServer {
  /// Receives the series' files, as many as the search has found.
  private func receive(
    _ client: HTTPClient, into folder: URL, _ progress: inout TransferProgress, _ watcher: @escaping TransferWatcher
  ) throws {
    let total = progress.total
    let files = NumberedFiles(in: folder, announced: total, limits)
    defer { progress.done = files.count }
    var splitter: MultipartSplitter?
    // A server that may choose the transfer syntax may also convert.
    try client.run(
      "\(address.url)/studies/\(address.study!)/series/\(address.series!)",
      headers: [#"Accept: multipart/related; type="application/dicom"; transfer-syntax=*"#],
      .init(
        watcher: { watcher(files.count, total) },
        begin: { status, type in
          try requireAnswer(status, type, to: .fetch)
          let type = MediaType(type)
          guard type.name == "multipart/related", let boundary = type.boundary else { throw foreign(type) }
          splitter = MultipartSplitter(boundary: boundary)
        },
        receive: { bytes in
          try files.expect(bytes.count)
          try splitter!.take(bytes, files.take)
        }))
    progress.done = files.count
    // An answer without a length ends where the connection does, be it cut or not.
    guard splitter?.isComplete == true else { throw cut(after: progress) }
    guard files.count == total else { throw incomplete(progress) }
    _ = watcher(files.count, total)
  }
}

// MARK: Storing

extension DICOMwebServer {
  private func send(
    _ client: HTTPClient, _ file: URL, _ progress: TransferProgress, watcher: @escaping () -> Bool
  ) throws {
    let boundary = "dualnorm-\(UUID().uuidString)"
    let body = try FileBody(file, boundary: boundary)
    var answer = (status: 0, type: MediaType(""), bytes: Data())
    try client.run(
      "\(address.url)/studies",
      headers: [
        "Accept: application/dicom+json",
        #"Content-Type: multipart/related; type="application/dicom"; boundary=\#(boundary)"#,
      ],
      body: .init(count: body.count, next: body.next, rewind: body.rewind),
      .init(
        watcher: watcher,
        begin: { status, type in
          try requireAnswer(status, type, to: .store)
          (answer.status, answer.type) = (status, MediaType(type))
        },
        receive: { bytes in
          guard answer.bytes.count + bytes.count <= limits.answerBytes else { throw endless }
          answer.bytes += bytes
        }))
    try requireStored(answer.status, StoreAnswer(answer.type.isJSON ? answer.bytes : Data()), progress)
  }

  /// Judges the answer to a store of one file.
  private func requireStored(_ status: Int, _ answer: StoreAnswer?, _ progress: TransferProgress) throws {
    let isStored =
      switch status {
      // 200 alone says that all is stored.
      case 200...201, 204: (answer?.failed ?? 0) == 0
      // 202 may also be a warning of a stored file.
      case 202: answer.map { $0.failed == 0 && $0.stored > 0 } ?? false
      default: false
      }
    guard !isStored else { return }
    let reason = answer?.reason.map { ", failure reason \(words(ofStatus: $0))" } ?? ""
    throw refusal(
      "refuses to store file \(progress.done + 1) of \(progress.total) (status \(status)\(reason))", lookIntoLog)
  }
}

/// The numbers of a server's answer to a store.
private struct StoreAnswer {
  let stored: Int
  let failed: Int
  /// Failure Reason of the first file that failed, where it is told.
  let reason: Int?

  /// Nil for bytes that are no answer in JSON.
  init?(_ bytes: Data) {
    guard let values = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] else { return nil }
    let answer = DICOMValues(values)
    (stored, failed) = (answer.items("00081199").count, answer.items("00081198").count)
    reason = answer.items("00081198").first?.number("00081197")
  }
}

/// The body of a store: one file as the only part.
private final class FileBody {
  let count: Int
  private let file: FileHandle
  private let path: String
  private let (head, tail): (Data, Data)
  private let fileBytes: Int
  private var sent = 0

  /// - Throws: `Refusal` for a file that cannot be read.
  init(_ url: URL, boundary: String) throws {
    path = url.path
    guard let file = try? FileHandle(forReadingFrom: url), let size = try? file.seekToEnd(),
      (try? file.seek(toOffset: 0)) != nil
    else { throw Refusal(.file, url.path, "cannot be read", remedy: "check that it is still there") }
    (self.file, fileBytes) = (file, Int(size))
    head = Data("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8)
    tail = Data("\r\n--\(boundary)--\r\n".utf8)
    count = head.count + fileBytes + tail.count
  }

  /// Fills a buffer with the next bytes. Returns their number.
  func next(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let left = head.count + fileBytes - sent
    let copied =
      if sent < head.count {
        head.dropFirst(sent).copyBytes(to: buffer)
      } else if left > 0 {
        read(file.fileDescriptor, buffer.baseAddress, min(buffer.count, left))
      } else {
        tail.dropFirst(-left).copyBytes(to: buffer)
      }
    guard copied > 0 || sent == count else {
      throw Refusal(.file, path, "changed while it was sent", remedy: "store it again")
    }
    sent += copied
    return copied
  }

  func rewind() throws {
    sent = 0
    try file.seek(toOffset: 0)
  }
}
