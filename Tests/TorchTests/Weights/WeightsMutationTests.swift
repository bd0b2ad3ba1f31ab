import Basics
import Foundation
import TestSupport
import Testing
import Torch

/// Thousands of damaged files, each of which gives a value or a `Refusal`. A trap ends the test program.
@Suite struct WeightsMutationTests {
  /// Reads mutated files, and counts read and refused ones.
  private func mutate(
    _ sources: [Data], times: Int, around wrap: (Data) -> Data = { $0 }, _ read: (URL) throws -> Int
  ) throws -> (read: Int, refused: Int) {
    let folder = try TemporaryFolder()
    var mutator = Mutator(seed: 7)
    var counts = (read: 0, refused: 0)
    for index in 0..<times {
      let file = try folder.file(wrap(mutator.mutated(sources[index % sources.count])))
      do {
        _ = try read(file)
        counts.read += 1
      } catch is Refusal {
        counts.refused += 1
      }
    }
    return counts
  }

  /// Sums the tensors, so that every byte is read.
  private func sum(_ tensors: [(name: String, tensor: StoredTensor)]) -> Int {
    tensors.reduce(0) { $0 + $1.tensor.data.reduce(0) { $0 &+ Int($1) } + $1.tensor.shape.count }
  }

  @Test func damagedSafetensors() throws {
    let sources = try ["all_types", "network", "swift"].map { try Data(contentsOf: fixture("\($0).safetensors")) }
    let counts = try mutate(sources, times: 4000) { sum(try Safetensors.read($0).tensors) }
    #expect(counts.read > 100)
    #expect(counts.refused > 2000)
  }

  @Test func damagedCheckpoints() throws {
    let names = ["network", "layouts", "training", "all_types_protocol4"]
    let sources = try names.map { try Data(contentsOf: fixture("\($0).pth")) }
    let counts = try mutate(sources, times: 4000) { sum(try TorchCheckpoint.read($0).tensors) }
    #expect(counts.read > 100)
    #expect(counts.refused > 2000)
  }

  /// Damages the pickle but not the zip file around it, to get past the checksums.
  @Test func damagedPickles() throws {
    let names = ["network", "layouts", "training", "all_types_protocol4"]
    let records = try names.map { try storedRecords(of: Data(contentsOf: fixture("\($0).pth"))) }
    for records in records {
      let pickle = try #require(records.first { $0.name.hasSuffix("/data.pkl") }).contents
      let others = records.filter { !$0.name.hasSuffix("/data.pkl") }
      let whole = zipFile([("archive/data.pkl", pickle)] + others)
      let folder = try TemporaryFolder()
      #expect(try !TorchCheckpoint.read(folder.file(whole)).tensors.isEmpty)
      let wrap = { zipFile([("archive/data.pkl", $0)] + others) }
      let counts = try mutate([pickle], times: 1000, around: wrap) { sum(try TorchCheckpoint.read($0).tensors) }
      #expect(counts.read > 50)
      #expect(counts.refused > 400)
    }
  }

  /// The records of a valid zip file, found by the signatures in its directory.
  private func storedRecords(of file: Data) throws -> [(name: String, contents: Data)] {
    var records: [(name: String, contents: Data)] = []
    var rest = file.startIndex..<file.endIndex
    func number(_ place: Int, _ count: Int) -> Int {
      file[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    while let entry = file.range(of: Data([0x50, 0x4B, 1, 2]), in: rest)?.lowerBound {
      let nameLength = number(entry + 28, 2)
      let header = number(entry + 42, 4)
      let start = header + 30 + nameLength + number(header + 28, 2)
      let name = String(decoding: file[entry + 46..<entry + 46 + nameLength], as: UTF8.self)
      records.append((name, Data(file[start..<start + number(entry + 24, 4)])))
      rest = entry + 46..<file.endIndex
    }
    return records
  }
}
