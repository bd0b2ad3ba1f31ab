import Testing

@testable import Serving

@Suite struct SegmentationQueueTests {
  /// The order in which bodies ran.
  private actor Order {
    var ran: [String] = []
    func add(_ name: String) { ran.append(name) }
  }

  /// A gate that lets bodies go on.
  private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
      isOpen = true
      for one in waiting { one.resume() }
      waiting = []
    }

    func pass() async {
      if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
  }

  private let order = Order()
  private let gate = Gate()

  /// Starts work that waits in the queue, and returns when it stands there.
  private func start(
    _ name: String, in queue: SegmentationQueue, _ ticket: SegmentationQueue.Ticket = .init(), whenIdle: Bool = false,
    behind count: Int
  ) async -> Task<String, Never> {
    let task = Task { [order, gate] in
      do {
        try await queue.run(ticket, whenIdle: whenIdle) {
          await order.add(name)
          await gate.pass()
        }
        return "done"
      } catch let error as ServiceError {
        return error.detail
      } catch { return "\(type(of: error))" }
    }
    while await queue.count != count { await Task.yield() }
    // Idle work is not counted, so it gets time to take its place.
    if whenIdle { try? await Task.sleep(for: .milliseconds(200)) }
    return task
  }

  @Test(.timeLimit(.minutes(5))) func oneAtATimeInTheOrderOfRequests() async throws {
    let queue = SegmentationQueue(limit: 10)
    let tickets = (0..<4).map { _ in SegmentationQueue.Ticket() }
    let first = await start("a", in: queue, tickets[0], behind: 1)
    let idle = await start("idle", in: queue, whenIdle: true, behind: 1)
    var others: [Task<String, Never>] = []
    for (place, name) in ["b", "c", "d"].enumerated() {
      others.append(await start(name, in: queue, tickets[place + 1], behind: place + 2))
    }
    var places: [Int?] = []
    for ticket in tickets { places.append(await queue.place(of: ticket)) }
    #expect(places == [nil, 1, 2, 3])
    others[1].cancel()
    #expect(await others[1].value == "CancellationError")
    #expect(await queue.place(of: tickets[3]) == 2)
    await gate.open()
    for task in [first, idle, others[0], others[2]] { #expect(await task.value == "done") }
    #expect(await order.ran == ["a", "b", "d", "idle"], "work of nobody comes last")
    #expect(await queue.count == 0)
  }

  @Test(.timeLimit(.minutes(5))) func aBoundedNumberWaits() async throws {
    let queue = SegmentationQueue(limit: 1)
    let running = await start("a", in: queue, behind: 1)
    let waiting = await start("b", in: queue, behind: 2)
    await #expect { try await queue.run { Issue.record("it ran") } } throws: { error in
      let error = error as? ServiceError
      return error?.status == .serviceUnavailable && error?.retryAfter == 10
        && error?.detail == "1 segmentations wait already; try again later."
    }
    await queue.close()
    #expect(await waiting.value == ServiceError.stopping.detail)
    await #expect(throws: ServiceError.self) { try await queue.run { Issue.record("it ran") } }
    await gate.open()
    #expect(await running.value == "done", "the one that runs goes on")
  }

  @Test(.timeLimit(.minutes(5))) func aFailureAndACancelledOnePassTheTurnOn() async throws {
    struct Failed: Error {}
    let queue = SegmentationQueue(limit: 5)
    await #expect(throws: Failed.self) { try await queue.run { throw Failed() } }
    let cancelled = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await queue.run { try Task.checkCancellation() }
    }
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    #expect(try await queue.run { 7 } == 7)
    #expect(await queue.count == 0)
  }

  /// Many tasks, some of which give up: no turn is lost, and never do two run.
  @Test(.timeLimit(.minutes(5))) func manyThatGiveUp() async throws {
    actor Inside {
      var (now, most, runs) = (0, 0, 0)
      func enter() { (now, most, runs) = (now + 1, max(most, now + 1), runs + 1) }
      func leave() { now -= 1 }
    }
    let (queue, inside) = (SegmentationQueue(limit: 1000), Inside())
    let tasks = (0..<200).map { number in
      Task {
        try await queue.run(whenIdle: number % 5 == 0) {
          await inside.enter()
          await Task.yield()
          await inside.leave()
        }
      }
    }
    for (number, task) in tasks.enumerated() where number % 3 == 0 { task.cancel() }
    var finished = 0
    for task in tasks where (try? await task.value) != nil { finished += 1 }
    #expect(await inside.most == 1)
    #expect(await inside.runs == finished && finished >= 133)
    #expect(await queue.count == 0)
  }
}
