import Foundation
import Testing

@testable import Basics
@testable import Pages

@Suite struct MarkupTests {
  @Test func whatIsPutInIsEscaped() {
    let name = "<script>alert('1')</script> & \"more\""
    let markup: Markup = "<b title=\"\(name)\">\(name)</b>"
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"
    #expect(markup.text == "<b title=\"\(escaped)\">\(escaped)</b>")
  }

  @Test func markupIsNotEscapedAgain() {
    let inner: Markup = "<i>\("a<b")</i>"
    let nothing: Markup? = nil
    #expect(
      ("<p>\(inner)\([inner, inner])\(nothing)\(3)</p>" as Markup).text
        == "<p><i>a&lt;b</i><i>a&lt;b</i><i>a&lt;b</i>3</p>")
  }

  /// XML cannot represent these characters, not even escaped.
  @Test func charactersThatXMLCannotHave() {
    #expect("a\u{0}b\u{8}c\u{FFFE}d\r\ne\tö🙂".escapedForMarkup == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}\ne\tö🙂")
  }

  /// A name must not reverse its surroundings. A message shows the same marks for it.
  @Test func marksOfDirectionAreSeen() {
    let name = "scan\u{202E}gz.iin\u{2069}\u{200F}\u{61C}\u{2028}x"
    #expect(name.escapedForMarkup == "scan?gz.iin????x" && name.escapedForMarkup == printable(name))
    #expect("نیم\u{200C}فاصله".escapedForMarkup == "نیم\u{200C}فاصله")
  }

  /// A browser hashes the exact bytes between the tags.
  @Test func theScriptAndTheStyleOfAPageAreNamedByTheirHash() throws {
    var page = Page(title: "<script>alert(1)</script>", lead: "")
    page.add("a", "A", "<p>a</p>")
    let html = page.html
    let policy = try #require(html.firstMatch(of: #/Content-Security-Policy" content="([^"]*)"/#)).output.1
      .replacingOccurrences(of: "&#39;", with: "'")
    #expect(!policy.contains("unsafe"))
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
      let found = html.components(separatedBy: "<\(element)>")
      try #require(found.count == 2)
      let content = found[1].components(separatedBy: "</\(element)>")[0]
      #expect(policy.contains("; \(directive) 'sha256-\(SHA256.digest(content).base64EncodedString())'; "))
    }
  }

  /// The standard's examples, and each length near the end of a block.
  @Test func digests() {
    func hexadecimal(_ text: String) -> String { SHA256.digest(text).map { String(format: "%02x", $0) }.joined() }
    #expect(hexadecimal("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(hexadecimal("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hexadecimal("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    for (count, start) in digestsOfRepeated {
      #expect(hexadecimal(String(repeating: "a", count: count)).hasPrefix(start), "\(count)")
    }
  }

  private let digestsOfRepeated = [
    (55, "9f4390f8"), (56, "b35439a4"), (63, "7d3e74a0"), (64, "ffe054fe"), (119, "31eba51c"), (120, "2f3d3354"),
    (128, "6836cf13"), (10000, "27dd1f61"),
  ]

  @Test func commandsCanBePastedIntoAShell() {
    #expect(
      command(["dualnorm", "it's", "a b", "/x/y.z"]).text
        == "<pre class=\"command\" tabindex=\"0\"><code>dualnorm &#39;it&#39;\\&#39;&#39;s&#39; &#39;a b&#39; /x/y.z</code></pre>\n"
    )
  }
}
