import Foundation
import Testing

@testable import Basics

@Suite struct PrintableTests {
  private static let marks = ["\u{61C}", "\u{200E}", "\u{200F}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}"]

  @Test(arguments: marks + ["\n", "\u{1B}", "\u{7F}", "\u{85}", "\u{2028}", "\u{2029}"])
  func whatMisleads(mark: String) throws {
    #expect(printable("a\(mark)b") == "a?b")
    let json = printableJSON("{\"name\": \"a\(mark)b\"}\n")
    #expect(mark == "\n" || !json.dropLast().unicodeScalars.contains { $0.misleads })
    guard mark != "\n", mark != "\u{1B}" else { return }  // no encoder leaves these in a string
    #expect(try JSONDecoder().decode([String: String].self, from: Data(json.utf8)) == ["name": "a\(mark)b"])
  }

  /// Letters of all scripts and their joiners stay.
  @Test func honestNames() {
    for name in ["Größe 3×2", "שלום", "نیم\u{200C}فاصله", "患者一", "👩\u{200D}⚕️"] {
      #expect(printable(name) == name && printableJSON(name) == name)
    }
  }

  @Test func linesStay() { #expect(printableLines("a\u{202E}\nb\tc\n") == "a?\nb?c\n") }
}
