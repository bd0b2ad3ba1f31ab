import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// The storage service, against this program's own sender and callers who send bytes.
@Suite struct StorageListenerTests {
  static let folder = Fixtures.root.appendingPathComponent("Tests/Fixtures/dicom")
  static let series = ["00", "IM1", "IM3", "b.dcm", "scan.IMA"].map { folder.appendingPathComponent("oblique/\($0)") }
  /// Explicit, implicit, big endian, JPEG-LS, RLE and JPEG lossless.
  static let syntaxes = ["unsigned16", "implicit", "big-endian", "jpeg-ls", "rle", "jpeg-lossless"].map {
    folder.appendingPathComponent("\($0).dcm")
  }

  /// The bytes of a file after its meta header, which names the program that wrote it.
  static func dataSet(_ bytes: Data) -> Data {
    let length = (0..<4).reduce(0) { $0 | Int(bytes[140 + $1]) << (8 * $1) }
    return bytes.dropFirst(144 + length)
  }

  private func endings(_ events: [StorageListener.Event]) -> [StorageListener.Event] {
    events.filter { if case .began = $0 { false } else { true } }
  }

  /// The one event that ends something, once it is there.
  private func ending(_ listener: RunningListener) throws -> StorageListener.Event {
    try #require(listener.waits { !endings($0).isEmpty })
    return endings(listener.events)[0]
  }

  @Test func imagesArriveAsTheyAre() throws {
    let listener = try RunningListener()
    try listener.send(Self.series)
    for file in Self.syntaxes { try listener.send([file]) }
    let taken = listener.images
    let files = Self.series + Self.syntaxes
    #expect(taken.count == files.count)
    for (sent, (image, data)) in zip(files, taken) {
      let file = try DICOMFile(sent)
      #expect(Self.dataSet(data) == Self.dataSet(try Data(contentsOf: sent)), "\(sent.lastPathComponent)")
      #expect(image.instance == file.text(.sopInstance) && image.sopClass == RawMessage.image)
      #expect(image.caller == "SENDER" && image.peer == "127.0.0.1")
      try withFolder { folder in
        let received = folder.appendingPathComponent("a.dcm")
        try data.write(to: received)
        #expect(try DICOMFile(received).text(.transferSyntax) == file.text(.transferSyntax))
      }
    }
    #expect(listener.waits { endings($0).count == 1 + Self.syntaxes.count })
    #expect(listener.events.first == .began(caller: "SENDER", peer: "127.0.0.1"))
    #expect(endings(listener.events)[0] == .ended(caller: "SENDER", peer: "127.0.0.1", images: 5))
    #expect(listener.files == [])
  }

  @Test func titlesAreChecked() throws {
    let listener = try RunningListener { $0.callers = [" SCANNER "] }
    let file = Self.series[0]
    #expect(listener.refusal(of: file, title: "OTHER").contains("its own is another"))
    #expect(listener.refusal(of: file).contains("does not know the title SENDER"))
    #expect(listener.refusal(of: file, ownTitle: "SCANNER") == "sent")
    #expect(listener.waits { endings($0).count == 3 })
    let sentences = endings(listener.events).map(\.sentence)
    #expect(
      sentences == [
        "SENDER (127.0.0.1) was rejected: it called another title than WATCH.",
        "SENDER (127.0.0.1) was rejected: its title is not on the list of callers.",
        "SCANNER (127.0.0.1) ended its association after 1 image.",
      ])
  }

  @Test func otherClassesAndSyntaxesAreRefused() throws {
    let listener = try RunningListener()
    #expect(listener.refusal(of: Self.folder.appendingPathComponent("jpeg-2000.dcm")).contains("does not take such"))
    try withFolder { folder in
      var bytes = try Data(contentsOf: Self.series[0])
      let other = Data("1.2.840.10008.5.1.4.1.1.3".utf8)
      while let place = bytes.range(of: Data(RawMessage.image.utf8)) { bytes.replaceSubrange(place, with: other) }
      let file = folder.appendingPathComponent("a.dcm")
      try bytes.write(to: file)
      #expect(listener.refusal(of: file).contains("does not take such files"))
    }
    // A command may name another class than the presentation context does: status 0122, class not supported.
    let caller = RawCaller(listener.port)
    caller.send(RawMessage.request())
    #expect(caller.receive().first == 2)
    caller.send(RawMessage.store("1.2.840.10008.5.1.4.1.1.2") + RawMessage.value(2, [1, 2]))
    let answer = caller.receive()
    #expect(RawMessage.status(in: answer) == 0x0122)
    #expect(listener.images.isEmpty && listener.files == [])
  }

  @Test func tooManyAssociationsAreRejected() throws {
    let listener = try RunningListener { $0.mostAssociations = 1 }
    let first = RawCaller(listener.port)
    first.send(RawMessage.request())
    #expect(first.receive().first == 2)
    #expect(listener.refusal(of: Self.series[0]).contains("it is too busy"))
    first.send(RawMessage.pdu(5, [0, 0, 0, 0]))
    #expect(first.receive().first == 6)
    #expect(listener.waits { $0.contains(.ended(caller: "RAW", peer: "127.0.0.1", images: 0)) })
    #expect(listener.refusal(of: Self.series[0]) == "sent")
  }

  /// Neither a connection without a request nor half a request keeps others waiting.
  @Test func silence() throws {
    let listener = try RunningListener { $0.answering = 1 }
    let callers = (0..<20).map { _ in RawCaller(listener.port) }
    for caller in callers.dropFirst(10) { caller.send(Array(RawMessage.request().prefix(40))) }
    let start = Date()
    #expect(listener.refusal(of: Self.series[0]) == "sent")
    #expect(Date().timeIntervalSince(start) < 2)
    let silent = RawCaller(listener.port)
    silent.send(RawMessage.request())
    #expect(silent.receive().first == 2)
    #expect(silent.receive().first == 7)
    #expect(
      listener.waits {
        $0.contains(.cut(caller: "RAW", peer: "127.0.0.1", images: 0, reason: "nothing came in time"))
      })
    // The others are still in their ten seconds.
    #expect(listener.stop() < 1.5)
  }

  @Test func anImageThatIsCutIsNotTaken() throws {
    let listener = try RunningListener()
    let caller = RawCaller(listener.port)
    caller.send(RawMessage.request())
    #expect(caller.receive().first == 2)
    caller.send(RawMessage.store() + RawMessage.value(0, [UInt8](repeating: 1, count: 1000)))
    caller.hangUp()
    #expect(
      try ending(listener) == .cut(caller: "RAW", peer: "127.0.0.1", images: 0, reason: "the connection ended"))
    #expect(listener.images.isEmpty && listener.files == [])
  }

  @Test(arguments: [
    (StorageListener.Answer.outOfResources, "A700, out of resources"), (.mismatch, "A900, data of another class"),
    (.notUnderstood, "C000, not understood"),
  ]) func theSenderGetsTheAnswer(_ answer: StorageListener.Answer, _ words: String) throws {
    let listener = try RunningListener(answer: { _ in answer })
    #expect(listener.refusal(of: Self.series[0]) == "refuses to store a file (status \(words))")
    #expect(listener.files == [])
  }

  @Test func anImageThatCannotBeWritten() throws {
    let listener = try RunningListener()
    try FileManager.default.removeItem(at: listener.folder)
    #expect(listener.refusal(of: Self.series[0]).contains("A700, out of resources"))
    #expect(
      try ending(listener).sentence
        == "An image of SENDER (127.0.0.1) could not be written: No such file or directory.")
    #expect(listener.images.isEmpty)
  }

  @Test func anImageThatIsTooLarge() throws {
    let listener = try RunningListener { $0.mostImageBytes = 1000 }
    #expect(listener.refusal(of: Self.series[0]) != "sent")
    #expect(
      try ending(listener)
        == .cut(caller: "SENDER", peer: "127.0.0.1", images: 0, reason: "an image has more than 1000 bytes"))
    #expect(listener.images.isEmpty && listener.files == [])
  }

  @Test func aStopEndsAssociations() throws {
    let listener = try RunningListener()
    let (idle, sending) = (RawCaller(listener.port), RawCaller(listener.port))
    for caller in [idle, sending] {
      caller.send(RawMessage.request())
      #expect(caller.receive().first == 2)
    }
    sending.send(RawMessage.store() + RawMessage.value(0, [UInt8](repeating: 1, count: 1000)))
    #expect(listener.stop() < 1.5)
    #expect([idle, sending].map { $0.receive().first } == [7, 7])
    #expect(endings(listener.events).allSatisfy { $0.sentence.hasSuffix("this program was told to stop.") })
    #expect(listener.images.isEmpty && listener.files == [])
  }

  /// A stop while the handler keeps an image: its sender learns that it is kept, and nothing more.
  @Test func whatIsStoredIsAcknowledged() throws {
    let listener = try RunningListener(answer: { _ in
      Thread.sleep(forTimeInterval: 0.5)
      return .stored
    })
    let caller = RawCaller(listener.port)
    caller.send(RawMessage.request())
    #expect(caller.receive().first == 2)
    caller.send(RawMessage.store() + RawMessage.value(2, [1, 2]))
    while listener.files.isEmpty { Thread.sleep(forTimeInterval: 0.01) }
    #expect(listener.stop() < 1.5)
    #expect(RawMessage.status(in: caller.receive()) == 0)
    #expect(caller.receive().first == 7)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/net/if_inet6"), "needs IPv6"))
  func oneListenerForBothKindsOfAddress() throws {
    let listener = try RunningListener { $0.host = "::" }
    #expect(listener.refusal(of: Self.series[0]) == "sent")
    #expect(listener.images.map(\.image.peer) == ["127.0.0.1"])
  }

  @Test func aPlaceThatCannotBeHad() throws {
    let listener = try RunningListener()
    func refusal(_ host: String, _ port: Int) -> String? {
      let options = StorageListener.Options(title: "WATCH", host: host, port: port)
      do {
        _ = try StorageListener(options, incoming: listener.folder)
        return nil
      } catch { return (error as? Refusal)?.description }
    }
    let port = listener.port
    #expect(
      refusal("127.0.0.1", port) == "127.0.0.1:\(port): another program listens there; end it, or choose another port.")
    #expect(refusal("192.0.2.1", 0)?.contains("the address is not of this machine") == true)
    #expect(refusal("no.such.host.invalid", 0)?.contains("the host is unknown") == true)
    #expect(refusal("127.0.0.1", 65536)?.contains("give a port from 1 to 65535") == true)
    #expect(refusal("127.0.0.1", 0) == nil)
  }

  @Test func twoAssociationsAtOnce() throws {
    let together = NSCondition()
    nonisolated(unsafe) var inside = 0
    // Each handler waits for the other.
    let listener = try RunningListener(answer: { _ in
      together.withLock {
        inside += 1
        together.broadcast()
        while inside < 2 { guard together.wait(until: Date().addingTimeInterval(5)) else { break } }
      }
      return .stored
    })
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      #expect(listener.refusal(of: Self.series[index]) == "sent")
    }
    #expect(listener.mostHandlers == 2 && listener.images.count == 2)
  }

  /// Garbage ends its own connection alone, and leaves nothing.
  @Test func garbage() throws {
    let listener = try RunningListener()
    let request = RawMessage.request()
    let inputs: [[UInt8]] = [
      Array("GET / HTTP/1.1\r\n\r\n".utf8), [1, 0, 255, 255, 255, 255], RawMessage.pdu(1, [0, 1]),
      RawMessage.pdu(1, request[6..<74] + [0x20, 0, 255, 255, 1, 0]), RawMessage.request(service: "abc"),
      request + [9, 0, 0, 0, 0, 0], request + RawMessage.value(3, [0, 0, 0, 0, 255, 255, 255, 255]),
      request + RawMessage.pdu(4, [255, 255, 255, 255, 1, 3]), request + RawMessage.pdu(4, [0, 0, 0, 1, 1]),
      request + request, request + RawMessage.value(1, [0, 0, 0, 0, 4, 0, 0, 0]),
      request + RawMessage.store(instance: "../../a") + RawMessage.value(2, [1, 2]),
      request + RawMessage.value(1, RawMessage.nested(2000)) + RawMessage.value(1, RawMessage.nested(2000)),
    ]
    for input in inputs {
      let caller = RawCaller(listener.port)
      caller.send(input)
      caller.send(RawMessage.pdu(7, [0, 0, 0, 0]))
      while !caller.receive().isEmpty {}
    }
    #expect(listener.waits { endings($0).count == inputs.count })
    #expect(listener.refusal(of: Self.series[0]) == "sent")
    #expect(listener.images.count == 1 && listener.files == [])
  }
}
