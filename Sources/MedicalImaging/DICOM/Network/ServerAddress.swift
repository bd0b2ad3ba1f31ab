import Basics

/// The address of a server, or of a series there, in one of the two forms.
package enum ServerAddress: Equatable, Sendable {
  case dicom(DICOMAddress)
  case web(DICOMwebAddress)

  /// Tells whether a word is meant as an address, and not as a path.
  package static func isMeant(by word: String) -> Bool {
    DICOMAddress.isMeant(by: word) || DICOMwebAddress.isMeant(by: word)
  }

  /// - Throws: `Refusal` that names the wrong part.
  package init(_ text: String) throws {
    self = DICOMwebAddress.isMeant(by: text) ? .web(try DICOMwebAddress(text)) : .dicom(try DICOMAddress(text))
  }

  /// Series Instance UID; nil for the server itself.
  package var series: String? {
    switch self {
    case .dicom(let address): address.series
    case .web(let address): address.series
    }
  }

  /// Study Instance UID, where it is named.
  package var study: String? {
    switch self {
    case .dicom(let address): address.study
    case .web(let address): address.study
    }
  }

  package var web: DICOMwebAddress? {
    guard case .web(let address) = self else { return nil }
    return address
  }

  /// The end that makes a server's address one of a series.
  package var formOfSeries: String {
    switch self {
    case .dicom: "its Series Instance UID after the port: HOST:PORT/SERIES"
    case .web: "study and series by their UIDs: /studies/STUDY/series/SERIES"
    }
  }
}

/// Tells whether a word is a UID: numbers and dots, 64 characters at most.
package func isUID(_ word: some StringProtocol) -> Bool {
  let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
  return word.utf8.count <= 64 && numbers.allSatisfy { !$0.isEmpty && $0.allSatisfy { "0"..."9" ~= $0 } }
}

/// Tells whether a word may be a host's name or IPv4 address.
func isHost(_ word: some StringProtocol) -> Bool {
  (1...253).contains(word.utf8.count)
    && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
}

/// A port, from 1 on; nil unless the word is one.
func portNumber(_ word: some StringProtocol) -> UInt16? {
  word.allSatisfy { "0"..."9" ~= $0 } ? UInt16(word).flatMap { $0 > 0 ? $0 : nil } : nil
}
