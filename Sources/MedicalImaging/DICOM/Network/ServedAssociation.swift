import Basics
import CDICOM
import Foundation

/// The connections of a listener, and the associations among them.
final class Associations: @unchecked Sendable {
  private let condition = NSCondition()
  private let most: Int
  private let isWanted: @Sendable () -> Bool
  private var connections = 0
  private var associations = 0
  private var isStopped = false

  init(_ most: Int, _ goesOn: @escaping @Sendable () -> Bool) { (self.most, isWanted) = (most, goesOn) }

  /// Asks whether to go on. After the first no, the answer stays.
  func goesOn() -> Bool {
    let isWanted = isWanted()
    return condition.withLock {
      if !isWanted { isStopped = true }
      return !isStopped
    }
  }

  /// Counts a connection unless there are `most`.
  func connect(most: Int) -> Bool {
    condition.withLock {
      guard connections < most else { return false }
      connections += 1
      return true
    }
  }

  func disconnect() {
    condition.withLock {
      connections -= 1
      condition.broadcast()
    }
  }

  /// Counts an association unless there are too many.
  func begin() -> Bool {
    condition.withLock {
      guard associations < most else { return false }
      associations += 1
      return true
    }
  }

  func end() { condition.withLock { associations -= 1 } }

  func waitUntilNone() { condition.withLock { while connections > 0 { condition.wait() } } }
}

/// One connection of a caller, from its request to its end. It is used by one thread.
final class ServedAssociation: @unchecked Sendable {
  private let socket: Int32
  private let peer: String
  private let options: StorageListener.Options
  private let incoming: URL
  private let associations: Associations
  private let event: @Sendable (StorageListener.Event) -> Void
  private let handler: @Sendable (StorageListener.Image) -> StorageListener.Answer
  /// The title of the caller; empty before its request.
  private var caller = ""
  private var isAdmitted = false
  private var images = 0

  init(
    _ socket: Int32, peer: String, _ options: StorageListener.Options, _ incoming: URL, _ associations: Associations,
    event: @escaping @Sendable (StorageListener.Event) -> Void,
    receive: @escaping @Sendable (StorageListener.Image) -> StorageListener.Answer
  ) {
    (self.socket, self.peer, self.options, self.incoming) = (socket, peer, options, incoming)
    (self.associations, self.event, handler) = (associations, event, receive)
  }

  /// Serves to the end, and reports it.
  func serve() {
    var hasSentBytes = false
    let outcome = incoming.path.withCString { folder in
      var service = CDICOMService(
        folder: folder, negotiating: StorageListener.negotiating, answering: Int32(clamping: options.answering),
        most_image_bytes: Int64(options.mostImageBytes), context: Unmanaged.passUnretained(self).toOpaque(),
        goes_on: { ServedAssociation.at($0).associations.goesOn() },
        admit: { ServedAssociation.at($0).admit(called: String(cString: $1), calling: String(cString: $2)) },
        receive: { ServedAssociation.at($0).receive($1.pointee) },
        unwritable: { ServedAssociation.at($0).fail(String(cString: $1)) })
      return cdicom_serve(socket, &service, &hasSentBytes)
    }
    if isAdmitted { associations.end() }
    // A connection without a byte is a look whether the port is open.
    if hasSentBytes || outcome != .cut { report(outcome) }
  }

  private static func at(_ context: UnsafeMutableRawPointer?) -> ServedAssociation {
    Unmanaged<ServedAssociation>.fromOpaque(context!).takeUnretainedValue()
  }

  private func admit(called: String, calling: String) -> CDICOMAdmission {
    caller = calling.isEmpty ? "a caller without a title" : printable(calling)
    guard called == options.title else { return .otherTitle }
    guard options.callers.isEmpty || options.callers.contains(calling) else { return .unknownCaller }
    guard associations.begin() else { return .busy }
    isAdmitted = true
    event(.began(caller: caller, peer: peer))
    return .granted
  }

  private func receive(_ received: CDICOMReceived) -> UInt16 {
    let image = StorageListener.Image(
      file: URL(fileURLWithPath: String(cString: received.file)), sopClass: String(cString: received.sop_class),
      instance: String(cString: received.instance), caller: caller, peer: peer)
    let answer = handler(image)
    if answer == .stored { images += 1 }
    return answer.status
  }

  private func fail(_ reason: String) { event(.unwritable(caller: caller, peer: peer, reason: printable(reason))) }

  private func report(_ outcome: CDICOMOutcome) {
    func rejected(_ reason: String) -> StorageListener.Event { .rejected(caller: caller, peer: peer, reason: reason) }
    func cut(_ reason: String) -> StorageListener.Event {
      .cut(caller: caller, peer: peer, images: images, reason: reason)
    }
    let end: StorageListener.Event =
      switch outcome {
      case .done: .ended(caller: caller, peer: peer, images: images)
      case .unknownTitle: rejected("it called another title than \(options.title)")
      case .unknownOwnTitle: rejected("its title is not on the list of callers")
      case .rejected: rejected("there are \(options.mostAssociations) associations already")
      case .aborted: cut("the caller aborted it")
      case .cut: cut("the connection ended")
      case .silent: cut(isAdmitted ? "nothing came in time" : "no request came in \(StorageListener.negotiating) s")
      case .stopped: cut("this program was told to stop")
      case .tooLarge: cut("an image has more than \(options.mostImageBytes) bytes")
      case .endless: cut("the caller sent a command without end")
      case .unsupported: cut("the caller sent another command than C-ECHO and C-STORE")
      default: cut("the caller sent what is not understood (\(printable(lastDICOMError())))")
      }
    event(end)
  }
}
