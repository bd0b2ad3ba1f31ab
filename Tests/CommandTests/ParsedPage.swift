import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A page parsed as XML; `init` expects it to be well formed and to refer to nothing outside.
struct ParsedPage {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// The `class` of the parent element.
    let parentClass: String
  }

  let elements: [Element]
  /// All text, without style and script.
  let text: String

  init(_ bytes: Data) throws {
    let parser = XMLParser(data: bytes)
    let reader = Reader()
    parser.delegate = reader
    #expect(parser.parse(), "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")")
    (elements, text) = (reader.elements, reader.text)
    let source = String(decoding: bytes, as: UTF8.self)
    for outside in ["http://", "https://", "url(", "@import", "src=\"/"] { #expect(!source.contains(outside)) }
    for element in elements {
      for name in ["href", "src"] {
        if let target = element.attributes[name] {
          #expect(target.hasPrefix("#") || target.hasPrefix("data:image/png;base64,"), "\(element)")
        }
      }
      #expect(!["link", "iframe", "object", "embed", "base", "form"].contains(element.name))
    }
    let ids = elements.compactMap { $0.attributes["id"] }
    #expect(Set(ids).count == ids.count)
    let targets = elements.compactMap { $0.attributes["href"] }.filter { $0.hasPrefix("#") }.map { $0.dropFirst() }
    #expect(targets.allSatisfy { ids.contains(String($0)) })
    for picture in elements where picture.name == "img" { #expect(picture.attributes["alt"]?.isEmpty == false) }
    for picture in elements where picture.name == "svg" { #expect(picture.attributes["aria-label"]?.isEmpty == false) }
  }

  /// The sections of the page, by `id`.
  var sections: [String] {
    elements.filter { $0.name == "section" && !($0.attributes["class"] ?? "").hasPrefix("slice") }
      .compactMap { $0.attributes["id"] }
  }

  /// Embedded files.
  var pictures: [Element] {
    elements.filter { ($0.attributes["href"] ?? $0.attributes["src"] ?? "").hasPrefix("data:") }
  }

  func count(_ name: String, class wanted: String? = nil) -> Int {
    elements.count { $0.name == name && (wanted == nil || $0.attributes["class"] == wanted) }
  }

  /// The number of points in each part of a line.
  func pointCounts(ofClass wanted: String) -> [Int] {
    elements.filter { $0.name == "path" && $0.parentClass == wanted }.flatMap { path in
      (path.attributes["d"] ?? "").split(separator: "M").map { $0.split(separator: " ").count / 2 }
    }
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    var text = ""
    private var open: [(name: String, class: String)] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements.append(Element(name: name, attributes: attributes, parentClass: open.last?.class ?? ""))
      open.append((name, attributes["class"] ?? ""))
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      open.removeLast()
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if !["style", "script"].contains(open.last?.name ?? "") { text += string }
    }
  }
}
