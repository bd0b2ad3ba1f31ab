import Foundation

/// The layout of a DICOM file's elements, checked to the file's end before DCMTK reads the file.
///
/// DCMTK follows nested sequences by recursion, so a crafted file could exhaust the stack. Without explicit kinds,
/// DCMTK's dictionary decides whether a value is a sequence. So both readings of a value must end at the same byte: a
/// value with a length ends exactly there, with its whole contents.
struct DICOMStructure {
  /// The most levels of sequences and items; real files have about ten.
  static let deepest = 40

  private typealias Fault = DICOMFault

  private let bytes: DICOMBytes
  private var position = 132
  /// The data set, and sequences and items within each other.
  private var open: [Level] = []
  /// The elements of each level; kept apart, because a copy of a level must not copy them.
  private var lists: [DICOMList] = []
  private var budget = DICOMBudget()
  private var isBehindPixels = false

  private struct Level {
    let isSequence: Bool
    /// The last possible end.
    let end: Int
    /// Tells whether a delimiter ends it, rather than its length.
    let isOpen: Bool
    let isImplicit: Bool
    let isBigEndian: Bool
  }

  /// The reason not to read a file; nil if there is none.
  static func fault(in bytes: DICOMBytes) -> DICOMFault? {
    do throws(Fault) {
      let start = try bytes.bytes(at: 0, count: min(bytes.count, 132))
      guard start.withUnsafeBytes(isDICOM) else {
        throw Fault("it does not begin as DICOM files do, with 128 bytes and DICM")
      }
      var structure = DICOMStructure(bytes: bytes)
      try structure.walk()
      return nil
    } catch {
      return error
    }
  }

  /// Tells whether a file begins with 128 bytes and `DICM`.
  static func isDICOM(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 132 && bytes[128..<132].elementsEqual("DICM".utf8)
  }

  private init(bytes: DICOMBytes) { self.bytes = bytes }

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
    open = [
      Level(
        isSequence: false, end: bytes.count, isOpen: false, isImplicit: syntax == "1.2.840.10008.1.2",
        isBigEndian: syntax == "1.2.840.10008.1.2.2")
    ]
    lists = [DICOMList()]
    while position < bytes.count {
      while let level = open.last, open.count > 1, position == level.end {
        guard !level.isOpen else { throw Fault("a delimiter is missing behind \(name(of: level)) of open length") }
        leave()
      }
      let level = open[open.count - 1]
      guard level.end - position >= 8 else {
        guard open.count > 1 else { break }  // padding
        throw Fault("\(level.end - position) bytes are left over in \(name(of: level)), too few for an element")
      }
      try readElement(isImplicit: level.isImplicit, isBigEndian: level.isBigEndian)
    }
    guard open.dropFirst().allSatisfy({ !$0.isOpen && $0.end <= position }) else {
      throw Fault("it ends within a sequence")
    }
  }

  private func name(of level: Level) -> String { level.isSequence ? "a sequence" : "an item of a sequence" }

  /// Steps over an element, or into a sequence or item.
  private mutating func readElement(isImplicit: Bool, isBigEndian: Bool) throws(Fault) {
    let tag = try tag(at: position, isBigEndian)
    let first = position
    guard tag >> 16 != 0xfffe else {
      let length = try bytes.integer(UInt32.self, at: position + 4, isBigEndian: isBigEndian)
      return try readDelimiter(tag, length: length)
    }
    guard !open[open.count - 1].isSequence else { throw Fault("a sequence that holds no items but", tag) }
    try budget.note(tag, in: &lists[lists.count - 1])
    let head = isImplicit ? try implicitHead() : try explicitHead(tag, isBigEndian)
    position += head.size
    if open.count == 1, tag == 0x7fe0_0010 { isBehindPixels = true }
    let end = open[open.count - 1].end
    guard head.length != .max else {
      let isFragments = isImplicit ? tag == 0x7fe0_0010 : ![.sequence, .unknown].contains(head.kind)
      guard !isFragments else { return try skipFragments(end, isBigEndian) }
      // DCMTK reads sequences of unknown kind as implicit (CP-246).
      let isNowImplicit = isImplicit || head.kind == .unknown
      return try enter(
        Level(
          isSequence: true, end: end, isOpen: true, isImplicit: isNowImplicit,
          isBigEndian: isBigEndian && !isNowImplicit))
    }
    let length = Int(head.length)
    guard length <= end - position else { throw tooLong(tag, length, end, at: first) }
    let isSequence = isImplicit ? try holdsItems(tag, length) : head.kind == .sequence
    if isSequence {
      try enter(
        Level(
          isSequence: true, end: position + length, isOpen: false, isImplicit: isImplicit, isBigEndian: isBigEndian))
    } else {
      position += length
    }
  }

  private func tooLong(_ tag: UInt32, _ length: Int, _ end: Int, at start: Int) -> Fault {
    guard open.count > 1, end < bytes.count else { return Fault("it ends within", tag) }
    return Fault(
      "element \(Fault.name(tag)) claims \(length) bytes, where \(max(end - position, 0)) are left in its item or sequence"
    )
  }

  /// Tells whether a value of implicit kind begins as a sequence does.
  private func holdsItems(_ tag: UInt32, _ length: Int) throws(Fault) -> Bool {
    guard length > 0, bytes.count - position >= 4 else { return false }
    guard [0xfffe_e000, 0xfffe_e00d, 0xfffe_e0dd].contains(try self.tag(at: position, false)) else { return false }
    // DCMTK would take the following bytes for the rest of the sequence.
    guard length >= 8 else { throw Fault("\(length) bytes, too few for a sequence, are in", tag) }
    return true
  }

  private mutating func readDelimiter(_ tag: UInt32, length: UInt32) throws(Fault) {
    position += 8
    let level = open[open.count - 1]
    switch (tag, open.count > 1 ? level.isSequence : nil) {
    case (0xfffe_e000, true?):
      try budget.note()
      let isOpen = length == .max
      guard isOpen || Int(length) <= level.end - position else {
        guard level.end < bytes.count else { throw Fault("it ends within an item of a sequence") }
        throw Fault("an item claims \(length) bytes, where \(level.end - position) are left in its sequence")
      }
      try enter(
        Level(
          isSequence: false, end: isOpen ? level.end : position + Int(length), isOpen: isOpen,
          isImplicit: level.isImplicit, isBigEndian: level.isBigEndian))
    case (0xfffe_e00d, false?), (0xfffe_e0dd, true?):
      guard level.isOpen || position == level.end else {
        throw Fault("a delimiter ends \(name(of: level)) \(level.end - position) bytes before its length does")
      }
      leave()
    default: throw Fault("its sequences and their items do not fit each other")
    }
  }

  private mutating func enter(_ level: Level) throws(Fault) {
    guard open.count <= DICOMStructure.deepest else {
      throw Fault("its sequences are nested more than \(DICOMStructure.deepest) deep")
    }
    open.append(level)
    lists.append(DICOMList())
  }

  private mutating func leave() {
    open.removeLast()
    lists.removeLast()
  }

  /// Steps over compressed pixels: fragments with a length each, then a delimiter.
  private mutating func skipFragments(_ end: Int, _ isBigEndian: Bool) throws(Fault) {
    while end - position >= 8 {
      let tag = try tag(at: position, isBigEndian)
      let length = try bytes.integer(UInt32.self, at: position + 4, isBigEndian: isBigEndian)
      guard tag == 0xfffe_e000 || tag == 0xfffe_e0dd else {
        throw Fault("instead of a fragment of compressed pixels it holds", tag)
      }
      position += 8
      if tag == 0xfffe_e0dd { return }
      try budget.note()
      guard length != .max, Int(length) <= end - position else { break }
      position += Int(length)
    }
    throw Fault("it ends within an element of open length")
  }

  private func tag(at position: Int, _ isBigEndian: Bool) throws(Fault) -> UInt32 {
    let group = try bytes.integer(UInt16.self, at: position, isBigEndian: isBigEndian)
    let element = try bytes.integer(UInt16.self, at: position + 2, isBigEndian: isBigEndian)
    return UInt32(group) << 16 | UInt32(element)
  }
}

// The first bytes of elements.
extension DICOMStructure {
  /// The kind of a value (VR), as its two letters.
  private struct Kind: Hashable {
    static let sequence = Kind("SQ")
    static let unknown = Kind("UN")
    let letters: UInt16

    init(_ letters: UInt16) { self.letters = letters }
    init(_ name: String) { letters = name.utf8.reversed().reduce(0) { $0 << 8 | UInt16($1) } }

    static func all(_ names: String) -> Set<Kind> { Set(names.split(separator: " ").map { Kind(String($0)) }) }
  }

  private struct Head {
    /// Nil if it is implicit.
    let kind: Kind?
    /// `max` if the length is undefined.
    let length: UInt32
    /// Bytes before the value.
    let size: Int
  }

  /// Kinds whose length takes 2 bytes; kinds in `long` take 4.
  private static let short = Kind.all("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US")
  private static let long = Kind.all("OB OD OF OL OV OW SQ SV UC UN UR UT UV")

  private func implicitHead() throws(Fault) -> Head {
    Head(kind: nil, length: try bytes.integer(UInt32.self, at: position + 4), size: 8)
  }

  private func explicitHead(_ tag: UInt32, _ isBigEndian: Bool) throws(Fault) -> Head {
    let kind = Kind(try bytes.integer(UInt16.self, at: position + 4))
    let length = try bytes.integer(UInt16.self, at: position + 6, isBigEndian: isBigEndian)
    // Zeros pad files to a round size.
    let isFilling = isBehindPixels && tag == 0 && kind.letters == 0 && length == 0
    if isFilling || DICOMStructure.short.contains(kind) { return Head(kind: kind, length: UInt32(length), size: 8) }
    guard DICOMStructure.long.contains(kind) else { throw Fault("an unknown kind of value in", tag) }
    guard bytes.count - position >= 12 else { throw Fault("it ends within", tag) }
    return Head(
      kind: kind, length: try bytes.integer(UInt32.self, at: position + 8, isBigEndian: isBigEndian), size: 12)
  }

  /// Reads group 2, always in explicit little endian; returns the transfer syntax of the data set.
  private mutating func readMetaHeader() throws(Fault) -> String {
    var syntax: String?
    var end: Int?
    var list = DICOMList()
    while position + 8 <= bytes.count, try bytes.integer(UInt16.self, at: position) == 2 {
      let tag = try tag(at: position, false)
      try budget.note(tag, in: &list)
      let head = try explicitHead(tag, false)
      let start = position + head.size
      guard head.length <= bytes.count - start else { throw Fault("it ends within its meta header") }
      // DCMTK would descend into it.
      guard head.kind != .sequence else { throw Fault("a sequence lies in its meta header, which holds none, as", tag) }
      if tag == 0x0002_0000, head.length == 4 { end = start + 4 + Int(try bytes.integer(UInt32.self, at: start)) }
      if tag == 0x0002_0010, syntax == nil {  // of several, DCMTK takes the first
        let value = try bytes.bytes(at: start, count: min(Int(head.length), 256))
        syntax = String(decoding: value.prefix { $0 != 0 && $0 != 32 }, as: UTF8.self)
      }
      position = start + Int(head.length)
    }
    // Without a length, DCMTK would include group 0200.
    let next = bytes.count - position >= 2 ? try bytes.integer(UInt16.self, at: position) : 0
    guard end ?? position == position, end != nil || next != 0x200 else {
      throw Fault("its meta header is not as long as it says")
    }
    return syntax ?? ""
  }
}
