/// The records of a CSV file as RFC 4180 defines them.
///
/// Commas separate fields. A field with a comma, a quote (doubled) or a line end is quoted. Lines end in \n or \r\n.
/// A byte order mark and a missing last line end are accepted.
package struct CSVRecords {
  /// The records, each with the number of the line it begins on, from 1.
  package private(set) var records: [(line: Int, fields: [String])] = []

  private var field: [UInt8] = []
  private var fields: [String] = []
  private var line = 1
  private var firstLine = 1

  /// - Throws: `Refusal` if a quote is never closed, stands inside an unquoted field, or has text after its close.
  package init(_ text: String, file: String) throws {
    let bytes = Array((text.first == "\u{FEFF}" ? text.dropFirst() : text[...]).utf8)
    var index = 0
    while index < bytes.count {
      if bytes[index] == quote, field.isEmpty {
        index = try readQuoted(bytes, from: index + 1, file: file)
        continue
      }
      switch bytes[index] {
      case comma: endField()
      case newline: endRecord()
      case carriageReturn where index + 1 < bytes.count && bytes[index + 1] == newline: break
      case quote:
        throw Refusal(
          .input, "\(file), line \(line)", "a quote stands inside a field that does not begin with one",
          remedy: "put the whole field in quotes and double those inside")
      default: field.append(bytes[index])
      }
      index += 1
    }
    if !field.isEmpty || !fields.isEmpty { endRecord() }
  }

  /// Reads a field after its opening quote; returns the index after the closing one.
  private mutating func readQuoted(_ bytes: [UInt8], from start: Int, file: String) throws -> Int {
    let opened = line
    var index = start
    while index < bytes.count {
      if bytes[index] == quote {
        guard index + 1 < bytes.count, bytes[index + 1] == quote else {
          try checkEnd(bytes, index + 1, file: file)
          return index + 1
        }
        index += 1
      }
      if bytes[index] == newline { line += 1 }
      field.append(bytes[index])
      index += 1
    }
    throw Refusal(.input, "\(file), line \(opened)", "a quote is never closed", question: "is the file complete")
  }

  private func checkEnd(_ bytes: [UInt8], _ index: Int, file: String) throws {
    guard index == bytes.count || [comma, newline, carriageReturn].contains(bytes[index]) else {
      throw Refusal(
        .input, "\(file), line \(line)", "text follows a closing quote",
        remedy: "put the whole field in quotes and double those inside")
    }
  }

  private mutating func endField() {
    fields.append(String(decoding: field, as: UTF8.self))
    field = []
  }

  private mutating func endRecord() {
    endField()
    // A blank line is no record.
    if fields != [""] { records.append((firstLine, fields)) }
    fields = []
    line += 1
    firstLine = line
  }
}

private let quote = UInt8(ascii: "\"")
private let comma = UInt8(ascii: ",")
private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
