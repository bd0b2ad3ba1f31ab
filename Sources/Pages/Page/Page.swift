import Basics
import Foundation

/// A whole page: one self-contained file that may load nothing else.
struct Page {
  struct Section {
    /// The target of the link to it.
    let id: String
    let title: String
    let content: Markup
  }

  let title: String
  /// The sentence below the title on the page's subject.
  let lead: String
  /// Sentences on missing parts.
  var notices: [String] = []
  var sections: [Section] = []

  mutating func add(_ id: String, _ title: String, _ content: Markup) {
    sections.append(Section(id: id, title: title, content: content))
  }

  /// The page as HTML; equal pages give equal bytes.
  var html: String {
    let links = sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" as Markup }
    let parts = sections.map { section -> Markup in
      """
      <section id="\(section.id)" aria-labelledby="\(section.id)-title">
      <h2 id="\(section.id)-title">\(section.title)</h2>
      \(section.content)</section>

      """
    }
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta name="generator" content="dualnorm \(programVersion)"/>
      <title>\(title)</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <a class="skip" href="#main">To the content</a>
      <header>
      <h1>\(title)</h1>
      <p class="lead">\(lead)</p>
      \(notices.map(notice))<nav aria-label="Sections"><ul>\(links)</ul></nav>
      </header>
      <main id="main">
      \(parts)</main>
      <footer><p>Made by dualnorm \(programVersion) from the files of the folder alone.</p></footer>
      <script>\(Self.script)</script>
      </body>
      </html>

      """
    return page.text
  }

  /// The content security policy: only this script and style take effect, even if a name contains HTML.
  private static let policy =
    "default-src 'none'; img-src data:; style-src \(source(style)); script-src \(source(script)); base-uri 'none'; "
    + "form-action 'none'"

  private static let style = element(PackageResources.report_css)
  private static let script = element(PackageResources.report_js)

  /// The contents of a script or style element, byte for byte.
  ///
  /// HTML keeps the CDATA marks, which are comments in a script or style; XML drops them.
  private static func element(_ resource: [UInt8]) -> Markup {
    Markup(trusted: "/*<![CDATA[*/\n\(String(decoding: resource, as: UTF8.self))/*]]>*/")
  }

  private static func source(_ element: Markup) -> String {
    "'sha256-\(SHA256.digest(element.text).base64EncodedString())'"
  }
}
