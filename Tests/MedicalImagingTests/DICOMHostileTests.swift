import Basics
import Foundation
import MedicalImaging
import TestSupport
import Testing

/// The number of files that a process reads.
private let perProcess = 12

/// Files made to exhaust their reader, each within 20 seconds of processor time, in processes of some files each.
///
/// Each gives a correct result or the exact sentence, never a signal.
@Suite struct DICOMHostileTests {
  @Test(arguments: Array(stride(from: 0, to: HostileDICOM.all.count, by: perProcess))) func endsWell(
    first: Int
  ) async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      [first = first as Int] in
      // Making the files takes long too, and counts only before the first limit.
      for contents in HostileDICOM.all.dropFirst(first).prefix(perProcess).map({ $0.make() }) {
        limitTime()
        say(try outcome(of: contents))
      }
    }
    let found = allSaid(result)
    let all = HostileDICOM.all.dropFirst(first).prefix(perProcess)
    #expect(found.count == all.count, "the process ended at \(all.dropFirst(found.count).first?.name ?? "its end")")
    for (hostile, found) in zip(all, found) {
      if let end = hostile.sentenceEnd {
        #expect(found.hasPrefix("cannot be read as DICOM: ") && found.hasSuffix(end), "\(hostile): \(found)")
      } else {
        #expect(found == hostile.sentence.map { "cannot be read as DICOM: \($0)" } ?? "[1.0, 2.0]", "\(hostile)")
      }
    }
  }

  /// Elements, sequences, items and delimiters in random order and of random length.
  @Test(arguments: 1...8) func anyOrder(seed: Int) async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      [seed = seed as Int] in
      limitTime()
      var mutator = Mutator(seed: UInt64(seed))
      for number in 0..<100 {
        let encoding = DICOMBuilder.Encoding.allCases[mutator.next(below: 4)]
        let found = try outcome(of: anyFile(&mutator, DICOMBuilder(encoding: encoding)))
        guard found == "[1.0, 2.0]" || found.hasSuffix(".") else { return say("number \(number): \(found)") }
      }
      say("well")
    }
    #expect(said(result) == "well")
  }

  /// Typical fuzzer input: a byte or word changed anywhere in a file with sequences after its pixels.
  @Test(arguments: 1...4) func changed(seed: Int) async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      [seed = seed as Int] in
      limitTime()
      let builder = DICOMBuilder(encoding: [.explicit, .implicit, .bigEndian, .rle][seed % 4])
      let item = builder.item(builder.element(0x0008_1150, "UI") + builder.nest(3) + builder.itemEnd)
      let good = builder.file([
        0x0008_1140: builder.element(0x0008_1140, "SQ", builder.item(builder.element(0x0008_1150, "UI"))),
        0x7fe1_1010: builder.element(0x7fe1_1010, "SQ", item, length: DICOMBuilder.open) + builder.sequenceEnd,
      ])
      var mutator = Mutator(seed: UInt64(seed))
      for number in 0..<200 {
        let found = try outcome(of: mutator.mutated(good, in: 132..<good.count))
        guard found.hasPrefix("[") || found.hasSuffix(".") else { return say("number \(number): \(found)") }
      }
      say("well")
    }
    #expect(said(result) == "well")
  }
}

/// Ends this process by a signal after 20 more seconds of processor time, or after waiting two minutes.
///
/// The slowest file takes 2 s. A virtual machine that stands still for seconds counts them as processor time.
/// AddressSanitizer slows the same work down several times, so it gets 40 s.
private func limitTime() {
  let isSanitized = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "__asan_init") != nil
  let seconds: rlim_t = isSanitized ? 40 : 20
  let used = rlim_t((Double(clock()) / Double(CLOCKS_PER_SEC)).rounded(.up))
  var limit = rlimit(rlim_cur: used + seconds, rlim_max: rlim_t.max)
  setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
  alarm(120)
}

private func say(_ text: String) { FileHandle.standardError.write(Data("\nfound: \(text)\n".utf8)) }

/// The last message of a child process.
private func said(_ result: ExitTest.Result?) -> String { allSaid(result).last ?? "" }

/// The messages of a child process.
private func allSaid(_ result: ExitTest.Result?) -> [String] {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
    .filter { $0.hasPrefix("found: ") }.map { String($0.dropFirst(7)) }
}

/// The result of reading a series of this one file: its pixels, or the sentence after its name.
private func outcome(of contents: Data) throws -> String {
  let folder = try ScratchFolder()
  let file = try folder.file(contents, "a.dcm")
  do {
    return "\(try Image(contentsOf: folder.url).voxels)"
  } catch let error as Refusal {
    let start = "\(file.path): "
    guard error.description.hasPrefix(start) else { return error.description }
    return String(error.description.dropFirst(start.count))
  }
}

private func anyFile(_ mutator: inout Mutator, _ builder: DICOMBuilder) -> Data {
  var bytes: [UInt8] = []
  for _ in 0..<mutator.next(below: 60) { bytes += anyPiece(&mutator, builder) }
  let tag: UInt32 = [0x0008_1140, 0x0009_1010, 0x7fe0_0010, 0x7fe1_1010][mutator.next(below: 4)]
  return builder.file([tag: bytes])
}

private func anyPiece(_ mutator: inout Mutator, _ builder: DICOMBuilder) -> [UInt8] {
  let tags: [UInt32] = [0x0008_1140, 0x0008_1150, 0x0009_0010, 0x0009_1010, 0x7fe0_0010, 0x7fe1_1010, 0x0088_0200, 0]
  let kinds = ["SQ", "SQ", "UN", "OB", "OW", "LO", "UT", "US", "??"]
  let lengths: [UInt32?] = [nil, nil, nil, DICOMBuilder.open, 0, 4, 8, 16, 100, 0xffff, 0x7fff_ffff]
  let length = lengths[mutator.next(below: lengths.count)]
  let value = [UInt8](repeating: 0, count: [0, 0, 2, 4, 8, 30][mutator.next(below: 6)])
  switch mutator.next(below: 6) {
  case 0: return builder.item(value, length: length)
  case 1: return builder.itemEnd
  case 2: return builder.sequenceEnd
  case 3: return builder.nest(1 + mutator.next(below: 60), tags[mutator.next(below: tags.count)])
  default:
    return builder.element(
      tags[mutator.next(below: tags.count)], kinds[mutator.next(below: kinds.count)], value, length: length)
  }
}
