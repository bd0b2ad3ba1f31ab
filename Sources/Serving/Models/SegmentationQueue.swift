import Foundation
import HTTPTypes

/// Lets one segmentation run at a time, in the order of the requests. A bounded number waits.
///
/// Work nobody waits for, such as the uncertainty of cases to be labelled, runs only while no request waits.
actor SegmentationQueue {
  /// A place in the queue.
  typealias Ticket = UUID

  private struct Waiting {
    let ticket: Ticket
    let start: CheckedContinuation<Void, any Error>
  }

  private let limit: Int
  private var waiting: [Waiting] = []
  private var idleWaiting: [Waiting] = []
  private var isRunning = false
  private var isClosed = false

  init(limit: Int) { self.limit = limit }

  /// The number of requests that wait or run.
  var count: Int { waiting.count + (isRunning ? 1 : 0) }

  /// The number of segmentations before a waiting one; nil for one that runs or is unknown.
  func place(of ticket: Ticket) -> Int? {
    waiting.firstIndex { $0.ticket == ticket }.map { $0 + (isRunning ? 1 : 0) }
  }

  /// Runs a body when its turn comes.
  ///
  /// - Parameter whenIdle: whether requests that come later go before it.
  /// - Throws: `ServiceError` if too many wait or the server is ending; `CancellationError` for a task that was
  ///   cancelled while it waited; the body's error.
  func run<Value: Sendable>(
    _ ticket: Ticket = Ticket(), whenIdle: Bool = false, _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    try await takeTurn(ticket, whenIdle)
    defer { passTurn() }
    return try await body()
  }

  /// Refuses all that wait and all that come; the one that runs goes on.
  func close() {
    isClosed = true
    for one in waiting + idleWaiting { one.start.resume(throwing: ServiceError.stopping) }
    (waiting, idleWaiting) = ([], [])
  }

  private func takeTurn(_ ticket: Ticket, _ whenIdle: Bool) async throws {
    guard !isClosed else { throw ServiceError.stopping }
    guard isRunning else {
      isRunning = true
      return
    }
    guard whenIdle || waiting.count < limit else {
      throw ServiceError(
        .serviceUnavailable, "\(waiting.count) segmentations wait already; try again later.", retryAfter: 10)
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (start: CheckedContinuation<Void, any Error>) in
        guard !Task.isCancelled else { return start.resume(throwing: CancellationError()) }
        let one = Waiting(ticket: ticket, start: start)
        if whenIdle { idleWaiting.append(one) } else { waiting.append(one) }
      }
    } onCancel: {
      Task { await self.giveUp(ticket) }
    }
  }

  /// Starts the next one. The turn is passed on, so nobody comes in between.
  private func passTurn() {
    let next = !waiting.isEmpty ? waiting.removeFirst() : idleWaiting.isEmpty ? nil : idleWaiting.removeFirst()
    isRunning = next != nil
    next?.start.resume()
  }

  private func giveUp(_ ticket: Ticket) {
    if let place = waiting.firstIndex(where: { $0.ticket == ticket }) {
      waiting.remove(at: place).start.resume(throwing: CancellationError())
    } else if let place = idleWaiting.firstIndex(where: { $0.ticket == ticket }) {
      idleWaiting.remove(at: place).start.resume(throwing: CancellationError())
    }
  }
}
