import Foundation
import Testing

/// Compares the lists of symbols in the libraries' documentation with the sources.
@Suite struct DocumentationTests {
  /// The names that a module declares as public at its top level.
  private func publicNames(of module: String) throws -> Set<String> {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "typealias", "func", "let", "var"]
    let lines = try TargetTests.files(of: module).flatMap { $0.split(separator: "\n") }
    let names = lines.compactMap { line -> String? in
      let words = line.split(separator: " ")
      guard let start = words.firstIndex(of: "public"), words[..<start].allSatisfy({ $0.hasPrefix("@") }),
        line.first != " ", let kind = words[start...].firstIndex(where: kinds.contains), kind + 1 < words.count,
        !words[start...kind].contains("extension")
      else { return nil }
      return String(words[kind + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }
    return Set(names)
  }

  /// The links of a page, without the labels of arguments.
  private func links(in page: Substring) -> [String] {
    let parts = page.split(separator: "``")
    return stride(from: 1, to: parts.count, by: 2).map { String(parts[$0].prefix { $0 != "(" }) }
  }

  @Test(arguments: ["DualNorm", "MedicalImaging", "Torch"]) func pagesListAllPublicSymbols(module: String) throws {
    let file = TargetTests.package.appendingPathComponent("Sources/\(module)/Documentation.docc/\(module).md")
    let page = try String(contentsOf: file, encoding: .utf8)
    let topics = try #require(page.range(of: "## Topics"))
    let (declared, listed) = (try publicNames(of: module), links(in: page[topics.lowerBound...]))
    #expect(Set(listed) == declared && Set(listed).count == listed.count)
    #expect(declared.union([module]).isSuperset(of: links(in: page[...])))
  }
}
