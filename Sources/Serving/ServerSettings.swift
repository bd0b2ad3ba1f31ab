import Basics
package import DualNorm
package import Foundation

/// The address, the access and the bounds of a server.
package struct ServerSettings: Sendable {
  package var host = "127.0.0.1"
  /// 0 lets the system choose a free one.
  package var port = 8000
  /// The secret that requests must carry; nil without one.
  package var token: String?
  /// Origins of other pages that may use the server, such as `https://viewer.example`.
  package var origins: [String] = []
  /// The folder of cases to be labelled; nil without one.
  package var data: URL?
  /// Seed of the strategies that draw cases.
  package var seed: UInt64 = 0
  package var largestComponent = LargestComponentChoice.asInModel
  package var limits = ServerLimits()
  /// Writes a line about a request or an event; lines hold no names of patients, files or cases.
  package var log: @Sendable (String) -> Void = { _ in }
  /// Writes a line about a fault of the server, with the same care.
  package var report: @Sendable (String) -> Void = { _ in }
  /// Folders of this machine whose paths no client shall see.
  var hiddenFolders: [String] = []

  package init() {}

  /// Tells whether only programs of this machine reach the server.
  package var isLoopback: Bool { Basics.isLoopback(host) }

  /// Checks the address, before anything is read.
  ///
  /// - Throws: `Refusal` for an address that others reach without a token.
  package func requireSafe() throws {
    guard isLoopback || token != nil else {
      throw Refusal(
        .input, "\(Setting.listen) \(host)", "other machines reach this address, and whoever does may use the server",
        remedy: "give a file with a secret (\(Setting.token)), or listen on 127.0.0.1")
    }
  }

  /// A sentence without the paths of this machine.
  func veiled(_ sentence: String) -> String {
    hiddenFolders.reduce(sentence) { text, folder in
      text.replacingOccurrences(of: folder + "/", with: "").replacingOccurrences(
        of: folder, with: "the server's folder")
    }
  }
}

/// The most that clients may ask of a server.
package struct ServerLimits: Sendable {
  /// Bytes of a request's body.
  package var bytes = 4 << 30
  /// Files of a request.
  package var files = 10_000
  /// Bytes of a form's field.
  package var fieldBytes = 1 << 20
  /// Segmentations that wait for their turn.
  package var waiting = 256
  /// Requests whose bodies are read at once.
  package var uploads = 64
  /// Connections at once; others wait for one to end.
  package var connections = 512
  /// Seconds until the body of a request must be complete.
  package var bodySeconds = 900
  /// Seconds without a byte after which a connection is closed.
  package var idleSeconds = 60
  /// Seconds that connections get when the server ends, once the last segmentation has.
  package var endSeconds = 30
  /// Seconds that uploads and results stay without being asked for.
  package var keepSeconds = 1800

  package init() {}
}
