extension MultipartReader {
  /// The header of a part of a form.
  package struct Part: Equatable, Sendable {
    package let name: String
    /// The name that the sender gives a file, as sent: any text, and never a path to use. Nil for a field.
    package let fileName: String?
    /// The type as sent, or nil.
    package let contentType: String?

    /// - Parameter header: the part's lines with their ends, without the empty line behind them.
    init(header: [UInt8]) throws(MultipartFault) {
      var disposition: HeaderParameters?
      var type: String?
      for (name, value) in try fields(of: header) {
        switch name {
        case "content-disposition":
          guard disposition == nil, let parameters = HeaderParameters(value), parameters.value == "form-data" else {
            throw .noDisposition
          }
          disposition = parameters
        case "content-type":
          guard type == nil, let text = String(strictly: value) else { throw .badHeader }
          guard !text.lowercased().hasPrefix("multipart/") else { throw .nested }
          type = text
        case "content-transfer-encoding":
          // Browsers send none; older libraries send one of these, which change no byte.
          let coding = String(decoding: value, as: UTF8.self).lowercased()
          guard ["7bit", "8bit", "binary"].contains(coding) else { throw .coded }
        default: break
        }
      }
      guard let disposition else { throw .noDisposition }
      guard let name = try disposition.text("name"), !name.isEmpty else { throw .noName }
      self.name = name
      fileName = try disposition.text("filename")
      contentType = type
    }
  }
}

/// The fields of a header: names in lower case, values without blanks around them.
private func fields(of header: [UInt8]) throws(MultipartFault) -> [(name: String, value: ArraySlice<UInt8>)] {
  var lines: [[UInt8]] = []
  for line in header.split(separator: .feed) {
    let line = line.dropLast()  // its CR
    if line.first?.isBlank ?? false {
      guard !lines.isEmpty else { throw .badHeader }
      lines[lines.count - 1] += line  // a folded line (RFC 5322)
    } else {
      lines.append(Array(line))
    }
  }
  var fields: [(name: String, value: ArraySlice<UInt8>)] = []
  for line in lines {
    let name = line.prefix { $0 != .colon }
    guard !name.isEmpty, name.allSatisfy(\.isToken), name.count < line.count,
      line.allSatisfy({ !$0.isControl || $0.isBlank })
    else { throw .badHeader }
    fields.append((String(decoding: name, as: UTF8.self).lowercased(), trimmed(line[(name.count + 1)...])))
  }
  return fields
}
