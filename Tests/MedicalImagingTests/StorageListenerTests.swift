import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// The storage service, with this program and DCMTK's own as senders.
@Suite(.timeLimit(.minutes(10))) struct StorageListenerTests {
  private static let slices = ["00", "IM1", "IM3", "b.dcm", "scan.IMA"].map {
    dicomFolder.appendingPathComponent("oblique/\($0)")
  }

  private func server(_ port: Int, _ title: String = "DUALNORM", as own: String = "SENDER") throws -> DICOMServer {
    try DICOMServer(DICOMAddress("dicom://\(title)@127.0.0.1:\(port)"), ownTitle: own)
  }

  private func store(_ files: [URL], _ port: Int, _ title: String = "DUALNORM", as own: String = "SENDER") throws {
    try server(port, title, as: own).store(files) { _, _ in true }
  }

  /// The sentence of the refusal of a store, after the server's name.
  private func refusal(_ files: [URL], _ port: Int, _ title: String = "DUALNORM", as own: String = "SENDER") -> String {
    do {
      try store(files, port, title, as: own)
      return "no refusal"
    } catch {
      let sentence = "\(error)"
      return sentence.range(of: ": ").map { String(sentence[$0.upperBound...]) } ?? sentence
    }
  }

  /// The bytes of a file after its meta header.
  private func dataSet(_ file: URL) throws -> Data {
    let bytes = try Data(contentsOf: file)
    let length = (0..<4).reduce(0) { $0 | Int(bytes[140 + $1]) << (8 * $1) }
    return bytes.dropFirst(144 + length)
  }

  @Test func imagesComeAsTheyWereSent() throws {
    let files =
      Self.slices
      + ["jpeg-ls", "rle", "jpeg-lossless", "implicit", "big-endian"].map {
        dicomFolder.appendingPathComponent("\($0).dcm")
      }
    let listener = try RunningListener()
    try store(files, listener.port)
    let got = listener.kept
    #expect(try got.map(dataSet) == files.map(dataSet))
    for (sent, came) in zip(files, got) {
      let (sent, came) = (try DICOMFile(sent), try DICOMFile(came))
      #expect(
        came.text(.transferSyntax) == sent.text(.transferSyntax) && came.text(.sopInstance) == sent.text(.sopInstance))
    }
    #expect(listener.end() == ["SENDER at 127.0.0.1 sent 10 images."])
    #expect(listener.incoming == [])
  }

  @Test(.enabled(if: Program.areThere, "needs dcmtk")) func sendersOfDCMTK() throws {
    let listener = try RunningListener(callers: ["STORESCU", "ECHOSCU"])
    let address = ["-aec", "DUALNORM", "127.0.0.1", "\(listener.port)"]
    #expect(try Program.status("echoscu", address) == 0)
    #expect(try Program.status("storescu", address + Self.slices.map(\.path)) == 0)
    #expect(try Program.status("storescu", ["-aet", "OTHER"] + address + Self.slices.map(\.path)) != 0)
    // Several classes and syntaxes are proposed, one is chosen for each.
    #expect(try Program.status("storescu", ["-xs", "-R"] + address + [dicomFolder.path + "/jpeg-lossless.dcm"]) == 0)
    #expect(listener.kept.count == 6)
    #expect(
      listener.end() == [
        "ECHOSCU at 127.0.0.1 sent 0 images.", "STORESCU at 127.0.0.1 sent 5 images.",
        "OTHER at 127.0.0.1 was rejected, since its title is none of those that may send.",
        "STORESCU at 127.0.0.1 sent 1 image.",
      ])
  }

  @Test func sendersThatAreRejected() throws {
    let listener = try RunningListener(callers: ["SENDER"])
    #expect(
      refusal(Self.slices, listener.port, "OTHER")
        == "refuses the title OTHER, since its own is another; give the server's title (AET).")
    #expect(refusal(Self.slices, listener.port, as: "STRANGER").hasPrefix("does not know the title STRANGER"))
    #expect(
      listener.end() == [
        "SENDER at 127.0.0.1 was rejected, since it calls another title than DUALNORM.",
        "STRANGER at 127.0.0.1 was rejected, since its title is none of those that may send.",
      ])
    #expect(listener.kept == [])
  }

  @Test func classesThatAreNotTaken() throws {
    let listener = try RunningListener()
    let text = try TemporaryFolder()
    // A Basic Text SR, which is no image.
    var bytes = try Data(contentsOf: Self.slices[0])
    for range in ranges(of: "1.2.840.10008.5.1.4.1.1.4\0", in: bytes) {
      bytes.replaceSubrange(range, with: Data("1.2.840.10008.5.1.4.1.1.88".utf8))
    }
    let file = text.file("text.dcm")
    try bytes.write(to: file)
    #expect(refusal([file], listener.port).hasPrefix("does not take such files"))
    #expect(listener.kept == [])
  }

  private func ranges(of word: String, in bytes: Data) -> [Range<Data.Index>] {
    var (found, rest) = ([Range<Data.Index>](), bytes.startIndex..<bytes.endIndex)
    while let next = bytes.range(of: Data(word.utf8), in: rest) {
      found.append(next)
      rest = next.upperBound..<bytes.endIndex
    }
    return found
  }

  @Test func theSenderHearsOfWhatBecameOfItsImage() throws {
    for (answer, status) in [
      (StorageListener.Answer.outOfResources, "A700, out of resources"), (.mismatch, "A900, data of another class"),
      (.notUnderstood, "C000, not understood"),
    ] {
      let listener = try RunningListener(answer: answer)
      #expect(
        refusal(Self.slices, listener.port) == "refuses to store a file (status \(status)); look into the server's log."
      )
      #expect(listener.end() == ["SENDER at 127.0.0.1 ended the association after 0 images."])
      #expect(listener.incoming == [])
    }
  }

  @Test func tooManyAssociations() throws {
    let listener = try RunningListener { $0.mostAssociations = 1 }
    let silent = try Connection(to: listener.port)
    #expect(
      listener.waits { refusal(Self.slices, listener.port).hasPrefix("refuses the association (it is too busy)") })
    silent.end()
    #expect(listener.waits { (try? store(Self.slices, listener.port)) != nil })
  }

  @Test func anImageThatIsTooLarge() throws {
    let listener = try RunningListener { $0.mostImageBytes = 100 }
    #expect(refusal(Self.slices, listener.port) != "no refusal")
    #expect(listener.end() == ["SENDER at 127.0.0.1 sent an image of more than 0 MiB after 0 images."])
    #expect(listener.incoming == [] && listener.kept == [])
  }

  @Test func aSilentPeerEnds() throws {
    let listener = try RunningListener { $0.answering = 1 }
    let relay = try Relay(to: listener.port, passing: 2000, then: .silence)
    #expect(refusal(Self.slices, relay.port) != "no refusal")
    #expect(listener.end() == ["SENDER at 127.0.0.1 sent nothing more after 0 images."])
  }

  /// Cuts within the request, the command and the images. No file stays, and what was acknowledged is there.
  @Test(arguments: [100, 700, 1200, 4000, 9000]) func aConnectionThatIsCut(bytes: Int) throws {
    let listener = try RunningListener()
    let relay = try Relay(to: listener.port, passing: bytes, then: .cut)
    #expect(refusal(Self.slices, relay.port) != "no refusal")
    let said = listener.end()
    #expect(said.count == 1 && !said[0].contains("sent 5 images"), "\(said)")
    #expect(listener.incoming == [] && listener.kept.count < 5)
    #expect(try listener.kept.map(dataSet) == Self.slices.prefix(listener.kept.count).map(dataSet))
  }

  @Test func theEndIsSoonAndAcknowledgesNothing() throws {
    let listener = try RunningListener()
    let relay = try Relay(to: listener.port, passing: 3000, then: .silence)
    let sender = Thread { _ = refusal(Self.slices, relay.port) }
    sender.start()
    #expect(listener.waits { relay.hasFailed })
    let start = Date()
    let said = listener.end()
    #expect(-start.timeIntervalSinceNow < 5 && said.count == 1 && said[0].contains("was cut off after "))
    #expect(listener.incoming == [])
  }

  @Test func addressesThatCannotBeListenedOn() throws {
    let listener = try RunningListener()
    func refusal(_ host: String, _ port: Int) -> String {
      var options = StorageListener.Options(title: "A")
      (options.host, options.port) = (host, port)
      do { _ = try StorageListener(options, incoming: listener.folder.url) } catch { return "\(error)" }
      return "no refusal"
    }
    let end = "; give another port, or an address of this machine."
    let taken = "127.0.0.1:\(listener.port)"
    #expect(
      refusal("127.0.0.1", listener.port).hasSuffix("\(taken): cannot be listened on (Address already in use)\(end)"))
    #expect(
      refusal("192.0.2.1", 0).hasSuffix("192.0.2.1:0: cannot be listened on (Cannot assign requested address)\(end)"))
    #expect(refusal("no.such.host.invalid", 0).contains("cannot be listened on ("))
  }

  /// Replays a transfer with changed bytes. Afterwards the service works as before.
  @Test func changedBytesHarmNobody() throws {
    let listener = try RunningListener { $0.answering = 1 }
    let relay = try Relay(to: listener.port, passing: .max, then: .cut)
    try store([Self.slices[0]], relay.port)
    let good = relay.passed
    #expect(good.count > 1000 && listener.kept.count == 1)
    let count = ProcessInfo.processInfo.environment["DUALNORM_REPLAYS"].flatMap(Int.init) ?? 300
    var random = SeededGenerator(seed: 7)
    for _ in 0..<count {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // Most changes in the request and the command, where lengths and names are.
        let place =
          Bool.random(using: &random)
          ? Int.random(in: 0..<600, using: &random) : .random(in: bytes.indices, using: &random)
        bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, .random(in: 0...255, using: &random)].randomElement(using: &random)!
      }
      let connection = try Connection(to: listener.port)
      connection.send(
        bytes.prefix(
          Int.random(in: 1...3, using: &random) == 1 ? .random(in: 1...bytes.count, using: &random) : bytes.count))
      connection.end()
    }
    let before = listener.kept.count
    #expect(listener.waits { (try? store(Self.slices, listener.port)) != nil })
    #expect(listener.waits { listener.kept.count >= before + 5 })
    _ = listener.end()
    #expect(listener.incoming == [])
  }
}

private let dicomFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../Fixtures/dicom").standardizedFileURL

/// A folder that goes with this object.
private final class TemporaryFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("listener-\(UUID())")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// A listener on a thread of its own.
private final class RunningListener: @unchecked Sendable {
  let folder: TemporaryFolder
  let port: Int
  private let lock = NSLock()
  // Guarded by `lock`.
  private var (said, files, goesOn) = ([String](), [URL](), true)
  private let done = DispatchSemaphore(value: 0)

  init(
    callers: Set<String> = [], answer: StorageListener.Answer = .stored,
    _ change: (inout StorageListener.Options) -> Void = { _ in }
  ) throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    var options = StorageListener.Options(title: "DUALNORM")
    options.callers = callers
    change(&options)
    try FileManager.default.createDirectory(at: folder.file("incoming"), withIntermediateDirectories: true)
    let listener = try StorageListener(options, incoming: folder.file("incoming"))
    port = listener.port
    Thread {
      listener.run(
        goesOn: { self.lock.withLock { self.goesOn } },
        event: { event in self.lock.withLock { self.said.append(event.sentence) } },
        receive: { image in
          guard answer == .stored else { return answer }
          return self.lock.withLock {
            let file = folder.file("\(self.files.count).dcm")
            do { try FileManager.default.moveItem(at: image.file, to: file) } catch { return .outOfResources }
            self.files.append(file)
            return .stored
          }
        })
      self.done.signal()
    }.start()
  }

  deinit { lock.withLock { goesOn = false } }

  /// The images that came, in their order.
  var kept: [URL] { lock.withLock { files } }
  /// Names of files that were not taken.
  var incoming: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.file("incoming").path)) ?? ["?"]
  }

  /// Ends the listener, once each association that is open has ended or after a second.
  func end() -> [String] {
    _ = waits(seconds: 3) { !lock.withLock { said.isEmpty } }
    lock.withLock { goesOn = false }
    done.wait()
    return lock.withLock { said }
  }

  func waits(seconds: Double = 30, for condition: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if condition() { return true }
      usleep(20_000)
    }
    return false
  }
}

/// A TCP connection to a port of this machine.
private final class Connection {
  let socket: Int32

  init(to port: Int) throws {
    #if os(Linux)
      socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket = Foundation.socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Failed() }
  }

  struct Failed: Error { let code = errno }

  /// Sends bytes as long as the other side takes them.
  func send(_ bytes: Data) {
    #if os(Linux)
      let withoutSignal = Int32(MSG_NOSIGNAL)
    #else
      let withoutSignal: Int32 = 0
    #endif
    _ = bytes.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, withoutSignal) }
  }

  func end() { close(socket) }
}

private func loopback(_ port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  return address
}

/// Passes one connection on, and so many bytes of its sender.
private final class Relay: @unchecked Sendable {
  enum Failure { case cut, silence }

  let port: Int
  private let listener: Int32
  private let lock = NSLock()
  // Guarded by `lock`.
  private var (bytes, isOver) = (Data(), false)

  var passed: Data { lock.withLock { bytes } }
  var hasFailed: Bool { lock.withLock { isOver } }

  init(to target: Int, passing most: Int, then failure: Failure) throws {
    var taken: UInt16 = 0
    listener = listeningSocket(&taken)
    port = Int(taken)
    let upstream = try Connection(to: target).socket
    Thread { [self] in
      let sender = accept(listener, nil, nil)
      let back = Thread { Self.copy(upstream, to: sender) { _ in true } }
      back.start()
      var left = most
      Self.copy(sender, to: upstream) { chunk in
        let part = chunk.prefix(left)
        left -= part.count
        lock.withLock { bytes += part }
        _ = part.withUnsafeBytes { write(upstream, $0.baseAddress, $0.count) }
        guard left == 0 else { return false }
        lock.withLock { isOver = true }
        if failure == .cut {
          shutdown(upstream, Int32(SHUT_RDWR))
          shutdown(sender, Int32(SHUT_RDWR))
        } else {
          sleep(4)
        }
        return nil
      }
      shutdown(upstream, Int32(SHUT_RDWR))
      shutdown(sender, Int32(SHUT_RDWR))
    }.start()
  }

  deinit { close(listener) }

  /// - Parameter pass: true writes the bytes on; nil ends it.
  private static func copy(_ from: Int32, to: Int32, _ pass: (Data) -> Bool?) {
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = read(from, &chunk, chunk.count)
      guard count > 0, let writes = pass(Data(chunk.prefix(count))) else { break }
      if writes { _ = write(to, chunk, count) }
    }
    shutdown(to, Int32(SHUT_WR))
  }
}

private func listeningSocket(_ port: inout UInt16) -> Int32 {
  #if os(Linux)
    let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  #else
    let made = socket(AF_INET, SOCK_STREAM, 0)
  #endif
  var address = loopback(0)
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      _ = bind(made, $0, size)
      _ = listen(made, 4)
      _ = getsockname(made, $0, &size)
    }
  }
  port = UInt16(bigEndian: address.sin_port)
  return made
}

/// Debian's programs of DCMTK.
private enum Program {
  static let areThere = ["storescu", "echoscu"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
  }

  static func status(_ name: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/\(name)")
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
