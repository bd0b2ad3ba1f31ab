import Foundation

/// How the elements of a DICOM file lie in it: what is looked at before DCMTK reads the file, which follows nested
/// sequences by recursion and so can be brought to exhaust the stack.
struct DICOMStructure {
  /// Levels of sequences and items; real files have about ten.
  static let deepest = 40

  private let bytes: UnsafeRawBufferPointer
  private var position = 132
  private var open: [Level] = []

  private struct Level {
    let isSequence: Bool
    let end: Int
    let isImplicit: Bool
  }

  /// Why a file is not to be read, as the end of a sentence; nil where nothing speaks against it.
  static func fault(in bytes: UnsafeRawBufferPointer) -> String? {
    guard isDICOM(bytes) else { return Fault("it does not begin as DICOM files do, with 128 bytes and DICM").sentence }
    do throws(Fault) {
      var structure = DICOMStructure(bytes: bytes)
      try structure.walk()
      return nil
    } catch {
      return error.sentence
    }
  }

  /// Whether a file begins with 128 bytes and `DICM`.
  static func isDICOM(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 132 && bytes[128..<132].elementsEqual("DICM".utf8)
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private struct Fault: Error {
    let sentence: String

    init(_ reason: String, advice: String = "copy it again from its source") { sentence = "\(reason); \(advice)." }
  }

  private mutating func walk() throws(Fault) {
    let syntax = try readMetaHeader()
    guard syntax.hasPrefix("1.2.840.10008.1.2") else {
      throw Fault("its transfer syntax \"\(inOneLine(syntax))\" is not known")
    }
    guard !DICOMSyntax.isDeflated(syntax) else {
      throw Fault(
        "all of it is compressed (deflated)",
        advice: "decompress it, for example by dcmconv +te, or convert it to NIfTI")
    }
    let isImplicit = syntax == "1.2.840.10008.1.2"
    let isBigEndian = syntax == "1.2.840.10008.1.2.2"
    while position < bytes.count {
      while let level = open.last, position >= level.end { open.removeLast() }
      guard bytes.count - position >= 8 else { break }  // padding
      let inner = open.last
      let isEnd = try readElement(
        isImplicit: inner?.isImplicit ?? isImplicit, isBigEndian: isBigEndian && inner?.isImplicit != true)
      if isEnd { return }
    }
    guard open.allSatisfy({ $0.end <= position }) else { throw Fault("it ends within a sequence") }
  }

  /// Group 2, always in explicit little endian; returns the transfer syntax of what follows.
  private mutating func readMetaHeader() throws(Fault) -> String {
    var syntax = ""
    var end: Int?
    while position + 8 <= bytes.count, integer(UInt16.self, at: position) == 2 {
      let element = integer(UInt16.self, at: position + 2)
      let (isLong, length) = try explicitLength(isBigEndian: false)
      let start = position + (isLong ? 12 : 8)
      guard length <= bytes.count - start else { throw Fault("it ends within its meta header") }
      if element == 0, length == 4 { end = start + 4 + Int(integer(UInt32.self, at: start)) }
      if element == 0x10 {
        syntax = String(decoding: bytes[start..<start + length].prefix { $0 != 0 && $0 != 32 }, as: UTF8.self)
      }
      position = start + length
    }
    guard end ?? position == position else { throw Fault("its meta header is not as long as it says") }
    return syntax
  }

  /// Steps over an element, or into a sequence or item; true at compressed pixels, behind which nothing is looked for.
  private mutating func readElement(isImplicit: Bool, isBigEndian: Bool) throws(Fault) -> Bool {
    let group = integer(UInt16.self, at: position, isBigEndian)
    let element = integer(UInt16.self, at: position + 2, isBigEndian)
    if group == 0xfffe {
      try readDelimiter(element, length: integer(UInt32.self, at: position + 4, isBigEndian), isImplicit)
      return false
    }
    guard open.last?.isSequence != true else { throw damage("a sequence that holds no items", group, element) }
    var representation = ""
    var length: Int
    if isImplicit {
      length = Int(integer(UInt32.self, at: position + 4, isBigEndian))
      position += 8
    } else {
      representation = String(decoding: bytes[position + 4..<position + 6], as: UTF8.self)
      let isLong: Bool
      (isLong, length) = try explicitLength(isBigEndian: isBigEndian)
      position += isLong ? 12 : 8
    }
    if length == Int(UInt32.max) {
      if group == 0x7fe0, element == 0x10, open.isEmpty { return true }
      guard ["", "SQ", "UN"].contains(representation) else {
        try skipFragments(isBigEndian)
        return false
      }
      try enter(Level(isSequence: true, end: .max, isImplicit: isImplicit || representation == "UN"))
      return false
    }
    guard length <= min(bytes.count, open.last?.end ?? .max) - position else {
      throw damage("it ends within", group, element)
    }
    let holdsItems = length >= 8 && integer(UInt32.self, at: position, false) == 0xe000_fffe
    if representation == "SQ" || isImplicit && holdsItems {
      try enter(Level(isSequence: true, end: position + length, isImplicit: isImplicit))
    } else {
      position += length
    }
    return false
  }

  private mutating func readDelimiter(_ element: UInt16, length: UInt32, _ isImplicit: Bool) throws(Fault) {
    position += 8
    switch (element, open.last?.isSequence) {
    case (0xe000, true?):
      let isOpen = length == .max
      let room = min(bytes.count, open.last?.end ?? .max) - position
      guard isOpen || Int(length) <= room else { throw Fault("it ends within an item of a sequence") }
      try enter(Level(isSequence: false, end: isOpen ? .max : position + Int(length), isImplicit: isImplicit))
    case (0xe00d, false?), (0xe0dd, true?): open.removeLast()
    default: throw Fault("its sequences and their items do not fit each other")
    }
  }

  private mutating func enter(_ level: Level) throws(Fault) {
    guard open.count < DICOMStructure.deepest else {
      throw Fault("its sequences are nested more than \(DICOMStructure.deepest) deep")
    }
    open.append(level)
  }

  /// Compressed pixels within a sequence, such as a preview's.
  private mutating func skipFragments(_ isBigEndian: Bool) throws(Fault) {
    while position + 8 <= bytes.count, integer(UInt16.self, at: position, isBigEndian) == 0xfffe {
      let isEnd = integer(UInt16.self, at: position + 2, isBigEndian) == 0xe0dd
      let length = Int(integer(UInt32.self, at: position + 4, isBigEndian))
      position += 8
      if isEnd { return }
      guard length <= bytes.count - position else { break }
      position += length
    }
    throw Fault("it ends within an element of open length")
  }

  /// Of the element at `position`.
  private func explicitLength(isBigEndian: Bool) throws(Fault) -> (isLong: Bool, length: Int) {
    let representation = String(decoding: bytes[position + 4..<position + 6], as: UTF8.self)
    if DICOMStructure.short.contains(representation) {
      return (false, Int(integer(UInt16.self, at: position + 6, isBigEndian)))
    }
    let tag = (integer(UInt16.self, at: position, isBigEndian), integer(UInt16.self, at: position + 2, isBigEndian))
    guard DICOMStructure.long.contains(representation) else {
      throw damage("an unknown kind of value in", tag.0, tag.1)
    }
    guard bytes.count - position >= 12 else { throw damage("it ends within", tag.0, tag.1) }
    return (true, Int(integer(UInt32.self, at: position + 8, isBigEndian)))
  }

  /// The kinds of values (VR) by whether their length takes 2 bytes or 4.
  private static let short = Set(
    "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split(separator: " ").map(String.init))
  private static let long = Set(
    "OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(separator: " ").map(String.init))

  private func damage(_ what: String, _ group: UInt16, _ element: UInt16) -> Fault {
    Fault("\(what) element \(String(format: "(%04x,%04x)", group, element))")
  }

  private func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, at offset: Int, _ isBigEndian: Bool = false
  ) -> Value {
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: type)
    return isBigEndian ? Value(bigEndian: value) : Value(littleEndian: value)
  }
}
