import Basics
import Foundation
import Testing

@testable import MedicalImaging

/// Multipart answers, split while they come.
@Suite struct MultipartSplitterTests {
  private let boundary = "b-1"

  /// Splits an answer that comes in pieces. Returns the whole parts, and whether the last boundary came.
  private func parts(_ pieces: some Sequence<Data>) throws -> (parts: [Data], isComplete: Bool) {
    var splitter = MultipartSplitter(boundary: boundary)
    var (parts, open): ([Data], Data?) = ([], nil)
    for piece in pieces {
      try piece.withUnsafeBytes { bytes in
        try splitter.take(bytes) { event in
          switch event {
          case .part:
            #expect(open == nil)
            open = Data()
          case .bytes(let bytes): open!.append(contentsOf: bytes)
          case .endOfPart:
            parts.append(open!)
            open = nil
          }
        }
      }
    }
    return (parts, splitter.isComplete)
  }

  private func parts(_ text: String) throws -> (parts: [Data], isComplete: Bool) { try parts([Data(text.utf8)]) }

  /// Contents that look almost like boundaries.
  private let contents = [
    Data("plain".utf8), Data("\r\n--b-\r\r\n--b-2\r\n-".utf8), Data(), Data("\r\r\n\n\r\n--".utf8),
    Data("--b-1\r\nand\r".utf8), Data((0...255).map { UInt8($0) }),
  ]

  private var answer: Data {
    let parts = contents.map { Data("\r\n--b-1\r\nContent-Type: application/dicom\r\nX: y\r\n\r\n".utf8) + $0 }
    return parts.reduce(Data("preamble".utf8), +) + Data("\r\n--b-1--\r\nepilogue".utf8)
  }

  @Test func everyPositionOfASplit() throws {
    let answer = answer
    for position in 0...answer.count {
      let found = try parts([answer[..<position], answer[position...]])
      #expect(found.parts == contents && found.isComplete, "\(position)")
    }
    for length in 1...40 {
      let pieces = stride(from: 0, to: answer.count, by: length).map { answer[$0..<min(answer.count, $0 + length)] }
      let found = try parts(pieces)
      #expect(found.parts == contents && found.isComplete, "\(length)")
    }
  }

  /// Every end of an answer but the last is a cut, without another part than the whole ones.
  @Test func everyCut() throws {
    let answer = answer
    let last = try #require(answer.range(of: Data("\r\n--b-1--".utf8))).upperBound
    for length in 0...answer.count {
      let found = try parts([answer[..<length]])
      #expect(found.isComplete == (length >= last) && contents.starts(with: found.parts), "\(length)")
    }
  }

  @Test func forms() throws {
    #expect(try parts("--b-1\r\n\r\nx\r\n--b-1--").parts == [Data("x".utf8)])
    #expect(
      try parts("\r\n--b-1 \t\r\ncontent-type:application/dicom;transfer-syntax=1\r\n\r\nx\r\n--b-1--").parts.count == 1
    )
    #expect(try parts("--b-1--\r\n") == ([], true))
    #expect(try parts("") == ([], false))
  }

  @Test(
    arguments: [
      "--b-1x\r\n\r\n", "--b-1\n\r\n", "--b-1\r\nX: y\n\r\n", "--b-1\r\nContent-Type: text/html\r\n\r\n",
      "--b-1\r\n\r\nx\r\n--b-12\r\n", "--b-1\r\nX: \(String(repeating: "y", count: 5000))",
      "--b-1\r\n\(String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 20))",
      String(repeating: "preamble", count: 1000),
    ]) func damage(_ text: String) throws
  {
    #expect(throws: MultipartSplitter.Fault.damaged) { try parts(text) }
    #expect(throws: MultipartSplitter.Fault.damaged) { try parts(text.utf8.map { Data([$0]) }) }
  }

  @Test func mediaTypes() {
    let type = MediaType(#"Multipart/Related; TYPE="application/dicom"; start="a;b"; boundary="x =y""#)
    #expect(type.name == "multipart/related" && type.boundary == "x =y")
    #expect(MediaType("multipart/related;boundary=x=y").boundary == "x=y")
    for text in ["", "multipart/related", "a/b; boundary=", "a/b; boundary=\"\"", "a/b; boundary=é"] {
      #expect(MediaType(text).boundary == nil)
    }
    #expect(MediaType("application/dicom+json; charset=utf-8").isJSON && MediaType("text/html;x").isPage)
  }
}
