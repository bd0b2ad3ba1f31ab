/// The instructions that PyTorch writes, by code.
extension Unpickler {
  mutating func execute(_ code: UInt8) throws {
    if try !executeScalar(code), try !executeContainer(code), try !executeReference(code) {
      let hex = String(code, radix: 16, uppercase: true)
      throw damaged("the instruction 0x\(hex) is none that PyTorch writes")
    }
  }

  private mutating func executeScalar(_ code: UInt8) throws -> Bool {
    switch code {
    case 0x80:  // PROTO
      let version = try need(reader.byte())
      guard (2...4).contains(version) else { throw damaged("protocol \(version) is none of 2, 3 and 4") }
    case 0x95: _ = try need(reader.take(8))  // FRAME: only a hint to read ahead
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "J"): try push(.integer(Int(try need(reader.integer(Int32.self)))))
    case UInt8(ascii: "K"): try push(.integer(Int(try need(reader.byte()))))
    case UInt8(ascii: "M"): try push(.integer(Int(try need(reader.integer(UInt16.self)))))
    case 0x8A: try pushLong()
    case UInt8(ascii: "G"):  // BINFLOAT
      _ = try need(reader.take(8))
      try push(.scalar)
    case UInt8(ascii: "X"): try pushString(UInt64(try need(reader.integer(UInt32.self))))
    case 0x8C: try pushString(UInt64(try need(reader.byte())))
    case 0x8D: try pushString(try need(reader.integer(UInt64.self)))
    case UInt8(ascii: "B"): try pushBytes(UInt64(try need(reader.integer(UInt32.self))))
    case UInt8(ascii: "C"): try pushBytes(UInt64(try need(reader.byte())))
    case 0x8E: try pushBytes(try need(reader.integer(UInt64.self)))
    default: return false
    }
    return true
  }

  private mutating func executeContainer(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "("): try pushMark()
    case UInt8(ascii: ")"): try pushTuple([])
    case 0x85, 0x86, 0x87: try pushTuple(try pop(Int(code) - 0x84))
    case UInt8(ascii: "t"): try pushTuple(try popToMark())
    case UInt8(ascii: "}"): try pushDictionary()
    case UInt8(ascii: "s"): try set(try pop(2))
    case UInt8(ascii: "u"): try set(try popToMark())
    case UInt8(ascii: "]"), 0x8F: try push(.collection)
    case UInt8(ascii: "a"): try add(try pop(1))
    case UInt8(ascii: "e"), 0x90: try add(try popToMark())
    default: return false
    }
    return true
  }

  private mutating func executeReference(_ code: UInt8) throws -> Bool {
    switch code {
    case UInt8(ascii: "q"): try remember(UInt32(try need(reader.byte())))
    case UInt8(ascii: "r"): try remember(try need(reader.integer(UInt32.self)))
    case 0x94: try remember()
    case UInt8(ascii: "h"): try recall(UInt32(try need(reader.byte())))
    case UInt8(ascii: "j"): try recall(try need(reader.integer(UInt32.self)))
    case UInt8(ascii: "c"):
      let module = try text(try need(reader.line()))
      try pushGlobal("\(module).\(try text(try need(reader.line())))")
    case 0x93:  // STACK_GLOBAL
      let names = try pop(2)
      guard case .string(let module) = names[0], case .string(let name) = names[1] else {
        throw damaged("\(names[1].kind) stands where a name was expected")
      }
      try pushGlobal("\(module).\(name)")
    case UInt8(ascii: "Q"): try pushPersistent(try pop())
    case UInt8(ascii: "R"):
      let parts = try pop(2)
      try call(parts[0], with: parts[1])
    case UInt8(ascii: "b"): try build()
    default: return false
    }
    return true
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws -> String {
    guard let text = String(utf8: bytes) else { throw damaged("a text is not UTF-8") }
    return text
  }

  private mutating func pushString(_ count: UInt64) throws {
    try push(.string(try text(try need(reader.take(Int(clamping: count))))))
  }

  private mutating func pushBytes(_ count: UInt64) throws {
    _ = try need(reader.take(Int(clamping: count)))
    try push(.scalar)
  }

  /// Reads LONG1, a little-endian integer in two's complement.
  private mutating func pushLong() throws {
    let bytes = try need(reader.take(Int(try need(reader.byte()))))
    guard bytes.count <= 8 else { return try push(.scalar) }
    let sign = bytes.last.map { $0 >= 0x80 } ?? false
    try push(.integer(bytes.reversed().reduce(sign ? -1 : 0) { $0 << 8 | Int($1) }))
  }
}
