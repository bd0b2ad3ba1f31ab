import Basics
import CDICOM
package import Foundation

/// A storage service (SCP): takes images that others send by C-STORE, and answers C-ECHO.
package final class StorageListener: Sendable {
  package struct Options: Sendable {
    /// The title of this program. Callers of another one are rejected.
    package var title: String
    /// The titles that may call; all where it is empty.
    package var callers: Set<String>
    /// A name, or an IPv4 or IPv6 address, of this machine.
    package var host: String
    /// The port; 0 takes a free one.
    package var port: Int
    /// The most associations at once. More are rejected as temporary congestion.
    package var mostAssociations: Int
    /// Seconds of silence after which an association ends.
    package var answering: Int
    package var mostImageBytes: Int

    package init(
      title: String, callers: Set<String> = [], host: String, port: Int, mostAssociations: Int = 16,
      answering: Int = 60, mostImageBytes: Int = 1 << 29
    ) {
      (self.title, self.callers, self.host, self.port) = (title, callers, host, port)
      (self.mostAssociations, self.answering, self.mostImageBytes) = (mostAssociations, answering, mostImageBytes)
    }
  }

  /// An image that came whole.
  package struct Image: Sendable {
    /// The file with its meta header, in the transfer syntax in which it came.
    ///
    /// The handler moves it away; otherwise it is removed after the handler.
    package let file: URL
    /// SOP Class UID and SOP Instance UID of the request: digits and dots.
    package let sopClass: String, instance: String
    /// The title of the caller, made safe for messages.
    package let caller: String
    /// The address of the caller.
    package let peer: String
  }

  /// The answer to an image.
  package enum Answer: Sendable {
    case stored
    /// Status A700.
    case outOfResources
    /// Status A900: the data are not of the class that the request names.
    case mismatch
    /// Status C000.
    case notUnderstood

    var status: UInt16 {
      switch self {
      case .stored: 0
      case .outOfResources: 0xA700
      case .mismatch: 0xA900
      case .notUnderstood: 0xC000
      }
    }
  }

  /// The seconds in which a caller has to make its whole request for an association.
  static let negotiating: Int32 = 10
  /// The connections that may be in negotiation, besides the associations. More are closed at once.
  static let mostWaiting = 64

  private let options: Options
  private let incoming: URL
  private let handle: Handle

  /// Listens from now on; callers wait until `run`.
  ///
  /// - Parameter incoming: an existing folder for files that are being received.
  /// - Throws: `Refusal` for a host or a port that cannot be had.
  package init(_ options: Options, incoming: URL) throws {
    var options = options
    options.title = Self.bare(options.title)
    options.callers = Set(options.callers.map(Self.bare))
    (self.options, self.incoming) = (options, incoming)
    handle = try Handle(options)
  }

  /// A title as it is compared: without surrounding spaces.
  private static func bare(_ title: String) -> String { DICOMAddress.title(title) ?? title }

  /// The port on which it listens.
  package var port: Int { Int(cdicom_listener_port(handle.listener)) }

  /// Takes images until `goesOn` returns false, which is asked about five times a second.
  ///
  /// Each association has a thread of its own, on which the closures are called. It returns after the last has ended: an
  /// image that is then being received is not acknowledged, and its association is aborted within a second.
  package func run(
    goesOn: @escaping @Sendable () -> Bool, event: @escaping @Sendable (Event) -> Void,
    receive: @escaping @Sendable (Image) -> Answer
  ) {
    let associations = Associations(options.mostAssociations, goesOn)
    var peer = [CChar](repeating: 0, count: 64)
    while associations.goesOn() {
      let socket = cdicom_listener_accept(handle.listener, 200, &peer, peer.count)
      guard socket >= 0 else { continue }
      guard associations.connect(most: options.mostAssociations + Self.mostWaiting) else {
        cdicom_turn_away(socket)
        continue
      }
      let served = ServedAssociation(
        socket, peer: text(peer), options, incoming, associations, event: event, receive: receive)
      let thread = Thread {
        served.serve()
        associations.disconnect()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    associations.waitUntilNone()
  }
}

/// The text before a zero.
private func text(_ bytes: [CChar]) -> String {
  String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The listening socket.
private final class Handle: @unchecked Sendable {
  let listener: OpaquePointer

  /// - Throws: `Refusal`.
  init(_ options: StorageListener.Options) throws {
    var outcome = CDICOMListening.failed
    let opened = UInt16(exactly: options.port).flatMap { cdicom_listener_open(options.host, $0, &outcome) }
    guard let opened else { throw Self.refusal(of: outcome, options) }
    listener = opened
  }

  deinit { cdicom_listener_free(listener) }

  private static func refusal(of outcome: CDICOMListening, _ options: StorageListener.Options) -> Refusal {
    func refusal(_ found: String, _ remedy: String) -> Refusal {
      Refusal(.file, "\(options.host):\(options.port)", found, remedy: remedy)
    }
    guard 0...65535 ~= options.port else {
      return Refusal(
        .input, "port \(options.port)", "is none", remedy: "give a port from 1 to 65535, or 0 for a free one")
    }
    return switch outcome {
    case .unknownHost: refusal("the host is unknown (\(lastDICOMError()))", "give a name or an address of this machine")
    case .foreignAddress:
      refusal("the address is not of this machine", "give one of this machine, or 0.0.0.0 for all of them")
    case .portTaken: refusal("another program listens there", "end it, or choose another port")
    case .forbidden: refusal("the port needs rights of the system", "choose a port from 1024 on, such as 11112")
    case .done, .failed: refusal("nobody can listen there (\(lastDICOMError()))", "choose another host or port")
    }
  }
}
