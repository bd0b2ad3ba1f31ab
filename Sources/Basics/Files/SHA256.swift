public import Foundation

/// SHA-256 (FIPS 180-4) of bytes that are added one part after the other.
package struct SHA256 {
  private var state: [UInt32] = initial
  /// Bytes that do not fill a block yet.
  private var rest: [UInt8] = []
  private var count: UInt64 = 0
  private var words: [UInt32] = Array(repeating: 0, count: 64)

  package init() {}

  package static func digest(_ text: String) -> Data {
    var digest = SHA256()
    digest.add(Data(text.utf8))
    return digest.finished
  }

  package mutating func add(_ bytes: some DataProtocol) {
    count += UInt64(bytes.count)
    for region in bytes.regions {
      region.withUnsafeBytes { bytes in
        var place = 0
        if !rest.isEmpty {
          place = min(64 - rest.count, bytes.count)
          rest += bytes[..<place]
          guard rest.count == 64 else { return }
          let block = rest
          rest = []
          block.withUnsafeBytes { add(block: $0[...]) }
        }
        while bytes.count - place >= 64 {
          add(block: bytes[place..<place + 64])
          place += 64
        }
        rest += bytes[place...]
      }
    }
  }

  /// The digest of all bytes, which a one bit, zeros and the length in bits pad to whole blocks of 64 bytes.
  package var finished: Data {
    var result = self
    let zeros = (119 - rest.count % 64) % 64
    result.add(Data([0x80] + [UInt8](repeating: 0, count: zeros) + Self.bytes(count * 8)))
    return Data(result.state.flatMap(Self.bytes))
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian, Array.init)
  }

  private mutating func add(block: Slice<UnsafeRawBufferPointer>) {
    func turned(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
    for place in 0..<16 {
      words[place] = (0..<4).reduce(0) { $0 << 8 | UInt32(block[block.startIndex + 4 * place + $1]) }
    }
    for place in 16..<64 {
      let (early, late) = (words[place - 15], words[place - 2])
      let first = turned(early, 7) ^ turned(early, 18) ^ early >> 3
      let second = turned(late, 17) ^ turned(late, 19) ^ late >> 10
      words[place] = words[place - 16] &+ first &+ words[place - 7] &+ second
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for place in 0..<64 {
      let choice = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
      let first = h &+ choice &+ ((e & f) ^ (~e & g)) &+ Self.constants[place] &+ words[place]
      let second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
    }
    for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= word }
  }

  private static let primes: [UInt32] = Array(
    (2..<312).filter { number in !(2..<number).contains { number % $0 == 0 } })

  /// The first 32 fractional bits of the primes' square roots; `constants` has the ones of their cube roots.
  private static let initial = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
  private static let constants = primes.prefix(64).map { fraction(cbrt(Double($0))) }

  private static func fraction(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 0x1p32) }
}
