import Basics
import CDICOM
package import Foundation

/// A storage service (SCP): it takes images that others send by C-STORE, and answers C-ECHO.
package final class StorageListener: Sendable {
  package struct Options: Sendable {
    /// The service's own title; associations that call another are rejected.
    package var title: String
    /// The titles that may call; all if empty.
    package var callers: Set<String> = []
    /// A name, or an IPv4 or IPv6 address, to listen on.
    package var host = "127.0.0.1"
    /// A port; 0 takes a free one.
    package var port = 0
    /// The most associations at once.
    package var mostAssociations = 16
    /// Seconds of silence after which an association ends.
    package var answering = TransferLimits().answering
    package var mostImageBytes = TransferLimits().imageBytes

    package init(title: String) { self.title = title }
  }

  /// An image that came whole.
  package struct Image: Sendable {
    /// A DICOM file in the transfer syntax in which it came. It is removed unless it is moved away.
    package let file: URL
    /// SOP Class UID and SOP Instance UID by the request to store it.
    package let sopClass: String, instance: String

    package init(file: URL, sopClass: String, instance: String) {
      (self.file, self.sopClass, self.instance) = (file, sopClass, instance)
    }
  }

  /// What a sender is told about its image; its number is DICOM's status (PS3.4 B.2.3).
  package enum Answer: UInt32, Sendable {
    case stored = 0
    case outOfResources = 0xA700
    case mismatch = 0xA900
    case notUnderstood = 0xC000
  }

  /// The end of an association.
  package struct Event: Sendable {
    package let sentence: String
    /// Tells whether the sender could not do what it wanted.
    package let isFault: Bool
  }

  /// The port that is listened on.
  package let port: Int
  private let options: Options
  private let incoming: URL
  private let socket: Int32

  /// - Parameter incoming: an existing folder for images that are being received.
  /// - Throws: `Refusal` if the address cannot be listened on.
  package init(_ options: Options, incoming: URL) throws {
    var port = UInt16(options.port)
    socket = cdicom_listen(options.host, &port)
    guard socket >= 0 else {
      throw Refusal(
        .input, "\(Setting.listen) \(options.host):\(options.port)", "cannot be listened on (\(lastDICOMError()))",
        remedy: "give another port, or an address of this machine")
    }
    (self.options, self.incoming, self.port) = (options, incoming, Int(port))
  }

  deinit { close(socket) }

  /// Takes images, each association on a thread of its own, and returns once all of them have ended.
  ///
  /// - Parameters:
  ///   - goesOn: asked five times a second; false ends all associations. The image that is being received is then not
  ///     acknowledged.
  ///   - event: called at the end of each association.
  ///   - receive: called for each image; its sender gets the answer.
  package func run(
    goesOn: @escaping @Sendable () -> Bool, event: @escaping @Sendable (Event) -> Void,
    receive: @escaping @Sendable (Image) -> Answer
  ) {
    let open = Count()
    while goesOn() {
      var peer = [CChar](repeating: 0, count: 64)
      let connection = cdicom_accept(socket, &peer, peer.count)
      guard connection >= 0 else { continue }
      let isFull = open.value >= options.mostAssociations
      // Beyond this, not even the reason is told.
      guard open.value < 4 * options.mostAssociations else {
        close(connection)
        continue
      }
      let address = String(decoding: peer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      open.add(1)
      let thread = Thread { [self] in
        let visit = Visit(goesOn, receive)
        event(serve(connection, from: address, isFull: isFull, visit))
        open.add(-1)
      }
      thread.stackSize = 8 << 20  // DCMTK follows nested sequences by recursion
      thread.start()
    }
    while open.value > 0 { Thread.sleep(forTimeInterval: 0.02) }
  }

  private func serve(_ connection: Int32, from address: String, isFull: Bool, _ visit: Visit) -> Event {
    var transfer = CDICOMTransfer()
    (transfer.most_files, transfer.most_bytes) = (.max, .max)
    transfer.most_file_bytes = Int64(options.mostImageBytes)
    transfer.context = Unmanaged.passUnretained(visit).toOpaque()
    transfer.goes_on = { context, _, _ in Unmanaged<Visit>.fromOpaque(context!).takeUnretainedValue().goesOn() }
    var caller = [CChar](repeating: 0, count: Int(CDICOM_TITLE_BYTES))
    let callers = options.callers.sorted()
    let outcome = withCStrings([options.title, incoming.path] + callers) { texts in
      Array(texts.dropFirst(2)).withUnsafeBufferPointer { list in
        var receiver = CDICOMReceiver(
          title: texts[0], callers: list.baseAddress, caller_count: list.count, folder: texts[1],
          answering: Int32(options.answering), is_full: isFull,
          take: { context, path, sopClass, instance in
            Unmanaged<Visit>.fromOpaque(context!).takeUnretainedValue().receive(
              Image(
                file: URL(fileURLWithPath: String(cString: path)), sopClass: String(cString: sopClass),
                instance: String(cString: instance))
            ).rawValue
          }, context: transfer.context)
        return withExtendedLifetime(visit) { cdicom_serve(connection, &receiver, &transfer, &caller) }
      }
    }
    let title = String(decoding: caller.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return self.event(outcome, title.isEmpty ? address : "\(title) at \(address)", images: Int(transfer.files))
  }

  private func event(_ outcome: CDICOMOutcome, _ sender: String, images: Int) -> Event {
    let sent = counted(images, "image")
    let found =
      switch outcome {
      case .done: "sent \(sent)"
      case .unknownTitle: "was rejected, since it calls another title than \(options.title)"
      case .unknownOwnTitle: "was rejected, since its title is none of those that may send"
      case .rejected: "was rejected, since \(options.mostAssociations) others are sending; it may try again"
      case .unsupported: "asked for another service than storage, after \(sent)"
      case .aborted: "ended the association after \(sent)"
      case .silent: "sent nothing more after \(sent)"
      case .stopped: "was cut off after \(sent), since the program ends"
      case .tooLarge: "sent an image of more than \(options.mostImageBytes >> 20) MiB after \(sent)"
      default: "was lost after \(sent) (\(lastDICOMError()))"
      }
    return Event(sentence: printable("\(sender) \(found)."), isFault: outcome != .done && outcome != .stopped)
  }
}

/// What an association needs, as an object that a pointer can refer to.
private final class Visit: Sendable {
  let goesOn: @Sendable () -> Bool
  let receive: @Sendable (StorageListener.Image) -> StorageListener.Answer

  init(
    _ goesOn: @escaping @Sendable () -> Bool,
    _ receive: @escaping @Sendable (StorageListener.Image) -> StorageListener.Answer
  ) {
    (self.goesOn, self.receive) = (goesOn, receive)
  }
}

private final class Count: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0  // guarded by `lock`

  var value: Int { lock.withLock { count } }

  func add(_ change: Int) { lock.withLock { count += change } }
}
