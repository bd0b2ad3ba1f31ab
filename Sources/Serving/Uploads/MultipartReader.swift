import Foundation

/// A strict streaming reader of `multipart/form-data` (RFC 7578, and RFC 2046 for its boundaries).
///
/// Chunks of a body go in; parts and stretches of their bytes come out, without copies. It holds the header of one part.
/// A body is whole once `finish()` returns. After an error the caller drops everything, and any call throws that error.
package struct MultipartReader: Sendable {
  package enum Event {
    case begin(Part)
    /// Bytes of the part, never none; valid during the call only.
    case data(UnsafeRawBufferPointer)
    case end
    /// The last boundary; only bytes to skip may follow.
    case finished
  }

  package struct Limits: Sendable {
    /// Bytes of a part's header.
    package var headerBytes = 8 << 10
    /// Parts of a form; a series of DICOM files may be thousands.
    package var parts = 10_000
    /// Bytes of a part without a file name. The caller bounds files.
    package var fieldBytes = 1 << 20
    /// Bytes before the first boundary, behind the last one, and blanks behind all.
    package var outsideBytes = 8 << 10

    package init() {}
  }

  private enum State {
    case preamble, data, header, epilogue
    /// The line of a boundary, behind the boundary.
    case line(LineState)
  }

  private enum LineState { case boundary, dash, blanks, carriageReturn }

  private let limits: Limits
  /// CR, LF, two dashes and the boundary.
  private let delimiter: [UInt8]
  private var state = State.preamble
  private var failure: (any Error)?

  // The end of the last chunk, if a delimiter may begin there: its CR, and what follows the CR.
  private var holdsReturn = true
  private var held = 1
  /// Tells whether the held line end is none of the data: the body's begin, or the end of a header, begins a line.
  private var holdsNoLineEnd = true

  private var header: [UInt8] = []
  private var lineStart = 0
  private var isLast = false
  private var isField = false
  private var partCount = 0
  private var fieldCount = 0
  private var outsideCount = 0

  /// - Parameter contentType: the request's Content-Type.
  /// - Throws: `MultipartFault` for another type, or without a boundary of 1 to 70 characters.
  package init(contentType: String, limits: Limits = Limits()) throws(MultipartFault) {
    let type = HeaderParameters(contentType.utf8)
    guard contentType.lowercased().hasPrefix("multipart/form-data") else { throw .otherType }
    guard let type, let boundary = type.parameters["boundary"], (1...70).contains(boundary.count),
      boundary.allSatisfy(\.isOfBoundary), boundary.last != UInt8(ascii: " ")
    else { throw .badBoundary }
    guard type.value == "multipart/form-data" else { throw .otherType }
    self.limits = limits
    delimiter = [.return, .feed, .dash, .dash] + boundary
  }

  /// Reads the next bytes of the body.
  ///
  /// - Throws: `MultipartFault`, or what `take` throws.
  package mutating func feed(_ chunk: UnsafeRawBufferPointer, _ take: (Event) throws -> Void) throws {
    if let failure { throw failure }
    do {
      var place = 0
      while place < chunk.count {
        switch state {
        case .preamble, .data: place = try search(chunk, from: place, take)
        case .line(let line):
          try readLine(chunk[place], line, take)
          place += 1
        case .header:
          try readHeader(chunk[place], take)
          place += 1
        case .epilogue:
          try countOutside(chunk.count - place)
          place = chunk.count
        }
      }
    } catch {
      failure = error
      throw error
    }
  }

  /// Ends the body.
  ///
  /// - Throws: `MultipartFault` for a form without its last boundary.
  package func finish() throws {
    if let failure { throw failure }
    guard !isLast else { return }
    if case .preamble = state { throw MultipartFault.noBoundary }
    throw MultipartFault.cutShort
  }

  // MARK: - Data

  /// Hands on the bytes before the next delimiter; returns the place behind it, or the chunk's end.
  private mutating func search(
    _ chunk: UnsafeRawBufferPointer, from start: Int, _ take: (Event) throws -> Void
  ) throws -> Int {
    var place = start
    while holdsReturn || held > 0 {
      guard place < chunk.count else { return place }
      guard chunk[place] == delimiter[1 + held] else {
        try release(take)
        continue
      }
      place += 1
      held += 1
      if try endsSearch() { return place }
    }
    var from = place
    while let feed = nextFeed(chunk, from) {
      let count = min(delimiter.count - 1, chunk.count - feed)
      guard isDelimiter(chunk, feed, count) else {
        from = feed + 1
        continue
      }
      holdsReturn = feed > place && chunk[feed - 1] == .return
      held = count
      try deliver(chunk, place, holdsReturn ? feed - 1 : feed, take)
      _ = try endsSearch()
      return feed + count
    }
    // A CR at the end may begin a delimiter.
    holdsReturn = place < chunk.count && chunk[chunk.count - 1] == .return
    try deliver(chunk, place, holdsReturn ? chunk.count - 1 : chunk.count, take)
    return chunk.count
  }

  /// The next LF that may be that of a delimiter.
  private func nextFeed(_ chunk: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    var place = start
    let last = chunk.count - 1
    while place <= last {
      // A call for each LF is slow where they are many: in lines of text, or voxels of label 10.
      let near = min(place + 32, last)
      while place < near {
        if chunk[place + 1] == .dash, chunk[place] == .feed { return place }
        place += 1
      }
      guard let found = memchr(chunk.baseAddress! + place, Int32(UInt8.feed), chunk.count - place) else { return nil }
      place = UnsafeRawPointer(found) - chunk.baseAddress!
      if place == last { return place }
    }
    return nil
  }

  private func isDelimiter(_ chunk: UnsafeRawBufferPointer, _ feed: Int, _ count: Int) -> Bool {
    delimiter.withUnsafeBytes { memcmp(chunk.baseAddress! + feed, $0.baseAddress! + 1, count) == 0 }
  }

  /// Goes on to the boundary's line if the held bytes are a whole delimiter.
  private mutating func endsSearch() throws -> Bool {
    guard held == delimiter.count - 1 else { return false }
    guard holdsReturn else { throw MultipartFault.lineEnd }
    (holdsReturn, held, holdsNoLineEnd) = (false, 0, false)
    state = .line(.boundary)
    return true
  }

  /// Hands on the held bytes, which begin no delimiter.
  private mutating func release(_ take: (Event) throws -> Void) throws {
    let (first, end) = (holdsNoLineEnd ? 2 : holdsReturn ? 0 : 1, 1 + held)
    (holdsReturn, held, holdsNoLineEnd) = (false, 0, false)
    try delimiter.withUnsafeBytes { try deliver($0, first, end, take) }
  }

  private mutating func deliver(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ take: (Event) throws -> Void
  ) throws {
    guard start < end else { return }
    if case .preamble = state {
      // A form with another boundary is all preamble.
      return try countOutside(end - start, beyond: .noBoundary)
    }
    if isField {
      fieldCount += end - start
      guard fieldCount <= limits.fieldBytes else { throw MultipartFault.fieldTooLong(bytes: limits.fieldBytes) }
    }
    try take(.data(UnsafeRawBufferPointer(rebasing: bytes[start..<end])))
  }

  private mutating func countOutside(_ count: Int, beyond fault: MultipartFault? = nil) throws {
    outsideCount += count
    guard outsideCount <= limits.outsideBytes else {
      throw fault ?? MultipartFault.tooMuchOutside(bytes: limits.outsideBytes)
    }
  }

  // MARK: - Lines

  /// Reads what follows a boundary: two dashes behind the last one, blanks, and a line end.
  private mutating func readLine(_ byte: UInt8, _ line: LineState, _ take: (Event) throws -> Void) throws {
    switch (line, byte) {
    case (.boundary, .dash): state = .line(.dash)
    case (.dash, .dash):
      isLast = true
      try endPart(take)
      try take(.finished)
      state = .line(.blanks)
    case (.boundary, _) where byte.isBlank, (.blanks, _) where byte.isBlank:
      try countOutside(1)
      state = .line(.blanks)
    case (.boundary, .return), (.blanks, .return): state = .line(.carriageReturn)
    case (.carriageReturn, .feed) where isLast: state = .epilogue
    case (.carriageReturn, .feed):
      try endPart(take)
      state = .header
    case (.carriageReturn, _), (_, .feed): throw MultipartFault.lineEnd
    default: throw MultipartFault.boundaryGoesOn
    }
  }

  private func endPart(_ take: (Event) throws -> Void) throws {
    if partCount > 0 { try take(.end) }
  }

  private mutating func readHeader(_ byte: UInt8, _ take: (Event) throws -> Void) throws {
    guard header.count < limits.headerBytes else { throw MultipartFault.headerTooLong(bytes: limits.headerBytes) }
    let follows = header.last == .return
    guard follows == (byte == .feed) else { throw MultipartFault.lineEnd }
    header.append(byte)
    guard byte == .feed else { return }
    guard header.count == lineStart + 2 else {
      lineStart = header.count
      return
    }
    header.removeLast(2)
    let part = try Part(header: header)
    partCount += 1
    guard partCount <= limits.parts else { throw MultipartFault.tooManyParts(limits.parts) }
    header.removeAll(keepingCapacity: true)
    (lineStart, fieldCount, isField) = (0, 0, part.fileName == nil)
    // The empty line's end may also be that of a delimiter's begin: a part without data.
    (holdsReturn, held, holdsNoLineEnd) = (true, 1, true)
    state = .data
    try take(.begin(part))
  }
}
