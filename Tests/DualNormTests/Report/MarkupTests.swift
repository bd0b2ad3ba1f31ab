import Testing

@testable import DualNorm

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

  /// XML has no way to write these, not even escaped.
  @Test func charactersThatXMLCannotHave() {
    #expect("a\u{0}b\u{8}c\u{FFFE}d\r\ne\tö🙂".escapedForMarkup == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}\ne\tö🙂")
  }

  @Test func commandsCanBePastedIntoAShell() {
    #expect(
      command(["dualnorm", "it's", "a b", "/x/y.z"]).text
        == "<pre class=\"command\" tabindex=\"0\"><code>dualnorm &#39;it&#39;\\&#39;&#39;s&#39; &#39;a b&#39; /x/y.z</code></pre>\n"
    )
  }
}
