import Foundation
import Testing

@testable import MedicalImaging

/// The storage service against DCMTK's programs.
@Suite(
  .enabled(
    if: ["storescu", "echoscu"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") },
    "needs dcmtk"))
struct StorageListenerProgramTests {
  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, errors: String) {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/\(program)")
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  private func place(_ listener: RunningListener, called: String = "WATCH") -> [String] {
    ["-aet", "SCANNER", "-aec", called, "127.0.0.1", String(listener.port)]
  }

  @Test func echo() throws {
    let listener = try RunningListener()
    #expect(try run("echoscu", place(listener)) == (0, ""))
    let rejected = try run("echoscu", place(listener, called: "OTHER"))
    #expect(rejected.status != 0 && rejected.errors.contains("Called AE Title Not Recognized"))
    #expect(listener.waits { $0.contains(.ended(caller: "SCANNER", peer: "127.0.0.1", images: 0)) })
  }

  @Test func imagesArriveAsTheyAre() throws {
    let listener = try RunningListener()
    let options = ["-xe", "-xi", "-xb", "-xt", "-xr", "-xs"]
    for (option, file) in zip(options, StorageListenerTests.syntaxes) {
      #expect(try run("storescu", [option] + place(listener) + [file.path]) == (0, ""))
    }
    #expect(listener.images.count == options.count)
    for (sent, (image, data)) in zip(StorageListenerTests.syntaxes, listener.images) {
      let bytes = try Data(contentsOf: sent)
      #expect(StorageListenerTests.dataSet(data) == StorageListenerTests.dataSet(bytes), "\(sent.lastPathComponent)")
      #expect(image.caller == "SCANNER")
    }
    #expect(listener.files == [])
  }

  @Test func theSenderSeesThatResourcesLack() throws {
    let listener = try RunningListener(answer: { _ in .outOfResources })
    let file = StorageListenerTests.series[0]
    let result = try run("storescu", ["-v"] + place(listener) + [file.path])
    #expect(result.errors.contains("OutOfResources"), "\(result.errors)")
  }

  /// A user's name and password, and other parts of a request that are not needed, do no harm.
  @Test func aRequestWithMore() throws {
    let listener = try RunningListener()
    let file = StorageListenerTests.series[0]
    let more = ["-usr", "somebody", "-pwd", "secret", "-R", "+C"]
    let result = try run("storescu", more.filter { $0 != "+C" } + place(listener) + [file.path])
    #expect(result == (0, "") && listener.images.count == 1)
  }
}
