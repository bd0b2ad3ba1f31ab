import Foundation
import Testing

/// Compares the sources' imports, the manifest and the table of `docs/design.md`: imports go down only.
@Suite struct TargetTests {
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Every Swift target of the package, the lowest first.
  static let order = [
    "Basics", "Torch", "MedicalImaging", "TensorBoard", "ONNX", "Scores", "Pictures", "Datasets", "DualNorm",
    "Experiments",
    "Pages", "Serving", "DualNormCLI", "Program",
  ]

  /// The texts of a target's files, except generated ones.
  static func files(of target: String) throws -> [String] {
    let folder = package.appendingPathComponent("Sources/\(target)")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)!
    return try files.compactMap { $0 as? URL }
      .filter { $0.pathExtension == "swift" && !$0.path.contains("/Generated/") }
      .map { try String(contentsOf: $0, encoding: .utf8) }
  }

  /// The targets among `order` that a file imports.
  static func imports(_ text: String) -> Set<String> {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    return Set(lines.filter { $0.count <= 3 && $0.dropLast().last == "import" }.map { $0.last! }).intersection(order)
  }

  static func imports(of target: String) throws -> Set<String> {
    try files(of: target).reduce(into: []) { $0.formUnion(imports($1)) }
  }

  @Test(arguments: order) func importsGoDown(target: String) throws {
    let above = Self.order[Self.order.firstIndex(of: target)!...]
    #expect(try Self.imports(of: target).isDisjoint(with: above))
  }

  /// These targets can be built and tested without LibTorch, the largest dependency.
  @Test(arguments: ["Scores", "Datasets", "Pictures"]) func doesWithoutTorch(target: String) throws {
    var (reached, left): (Set<String>, Set<String>) = ([], [target])
    while let next = left.popFirst() {
      reached.insert(next)
      left.formUnion(try Self.imports(of: next).subtracting(reached))
    }
    #expect(!reached.contains("Torch") && reached.contains("MedicalImaging"))
  }

  @Test func theManifestDeclaresWhatIsImported() throws {
    let manifest = try String(contentsOf: Self.package.appendingPathComponent("Package.swift"), encoding: .utf8)
    for target in Self.order {
      let start = try #require(
        manifest.range(
          of: "name: \"\(target)\"", range: manifest.range(of: "targets: [\n")!.upperBound..<manifest.endIndex))
      let end = manifest.range(of: "arget(", range: start.upperBound..<manifest.endIndex)!.lowerBound
      let declared = Self.order.filter { manifest[start.upperBound..<end].contains("\"\($0)\"") }
      #expect(Set(declared) == (try Self.imports(of: target)), "\(target)")
    }
  }

  /// Sentences refer to settings and verbs by `Setting` and `Verb`, which the front end words.
  @Test(arguments: order.dropLast(2)) func librariesNameNoOption(target: String) throws {
    for file in try Self.files(of: target) {
      for line in file.split(separator: "\n") {
        let code = line.replacing(/(^|\s)\/\/.*$/, with: "").replacing("gdcmconv --raw", with: "")
        #expect(!code.contains(/--[A-Za-z]|dualnorm [a-z]/), "\(target): \(line)")
      }
    }
  }

  /// Each row has the target, its purpose, its lines to 10 %, and its imports.
  @Test(arguments: order) func theDesignsTableIsTrue(target: String) throws {
    let page = try String(contentsOf: Self.package.appendingPathComponent("docs/design.md"), encoding: .utf8)
    let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `\(target)` |") })
    let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    let imports = Self.order.filter { cells[3].contains("`\($0)`") }
    #expect(Set(imports) == (try Self.imports(of: target)))
    let lines = try Self.files(of: target).reduce(0) {
      $0 + $1.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    }
    let told = try #require(Int(cells[2].replacingOccurrences(of: ",", with: "")))
    #expect(abs(lines - told) * 10 <= lines, "\(target) has \(lines) lines")
  }
}
