import Basics

extension StorageListener {
  /// An event, for messages. Titles and addresses are safe for a terminal.
  package enum Event: Sendable, Equatable {
    case began(caller: String, peer: String)
    /// The caller released the association after so many images were stored.
    case ended(caller: String, peer: String, images: Int)
    /// The association was rejected; `reason` is a clause.
    case rejected(caller: String, peer: String, reason: String)
    /// A connection or an association ended otherwise; `reason` is a clause. The caller is empty before its request.
    case cut(caller: String, peer: String, images: Int, reason: String)
    /// An image could not be written; its sender learns that resources lack (A700).
    case unwritable(caller: String, peer: String, reason: String)

    /// The event in one sentence.
    package var sentence: String {
      switch self {
      case .began(let caller, let peer): "\(caller) (\(peer)) began an association."
      case .ended(let caller, let peer, let images):
        "\(caller) (\(peer)) ended its association after \(counted(images, "image"))."
      case .rejected(let caller, let peer, let reason): "\(caller) (\(peer)) was rejected: \(reason)."
      case .cut(let caller, let peer, let images, let reason):
        caller.isEmpty
          ? "A connection from \(peer) ended before an association: \(reason)."
          : "The association of \(caller) (\(peer)) was cut after \(counted(images, "image")): \(reason)."
      case .unwritable(let caller, let peer, let reason):
        "An image of \(caller) (\(peer)) could not be written: \(reason)."
      }
    }
  }
}
