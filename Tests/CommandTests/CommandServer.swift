import CCommandServer
import Foundation
import Testing

/// A process that runs commands in forks of itself, where LibTorch has registered its operators already.
///
/// A start of the program takes 0.2 to 0.5 s otherwise, and the tests run many hundred commands.
final class CommandServer: Sendable {
  /// nil where the system has no such sockets.
  static let shared = CommandServer()

  private let socket: Int32

  private init?() {
    #if os(Linux)
      var ends: [Int32] = [-1, -1]
      guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0 else { return nil }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      socket = ends[0]
      let process = Process()
      process.executableURL = productsFolder.appendingPathComponent("command-server")
      process.environment = commandEnvironment
      process.standardInput = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
      guard (try? process.run()) != nil else { return nil }
    #else
      return nil
    #endif
  }

  /// Runs `dualnorm` to its end. Returns nil for verbs that start the program again, which takes its own file.
  func run(_ words: [String]) throws -> (status: Int32, output: String, errors: String)? {
    guard words.first != "experiment", !words.contains(where: { $0.contains("\0") }) else { return nil }
    let folder = try TemporaryFolder()
    let reply = Pipe()
    try [folder.file("output"), folder.file("errors")].withNewFiles { output, errors in
      let text = words.flatMap { Array($0.utf8CString) }
      try #require(
        command_send(socket, text, text.count, output, errors, reply.fileHandleForWriting.fileDescriptor) == 1,
        "the process that runs commands has ended, or these have too many words")
    }
    try reply.fileHandleForWriting.close()
    let status = command_status(reply.fileHandleForReading.fileDescriptor)
    return (status, try folder.text("output"), try folder.text("errors"))
  }
}

extension [URL] {
  /// Makes two files and closes them after the body.
  fileprivate func withNewFiles(_ body: (Int32, Int32) throws -> Void) throws {
    let handles = try map {
      try Data().write(to: $0)
      return try FileHandle(forWritingTo: $0)
    }
    try body(handles[0].fileDescriptor, handles[1].fileDescriptor)
    for handle in handles { try handle.close() }
  }
}
