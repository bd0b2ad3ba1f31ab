import Foundation
import Testing

/// The layout of pages in a browser: on a phone, and on paper.
@Suite(.enabled(if: Browser.isThere, "needs chromium")) struct ReportLayoutTests {
  private let folder: TemporaryFolder
  private let page: URL

  /// Creates the page of an evaluation on a known and an unknown site.
  init() throws {
    folder = try TemporaryFolder()
    page = folder.file("report.html")
    let evaluation = try Unseen.evaluation(in: folder).folder
    #expect(try dualnorm("report", evaluation.path, "--output", page.path, "--threads", "1", "--quiet").status == 0)
  }

  @Test func wideTablesScrollAndThePageDoesNot() throws {
    let script = """
      for (const folded of page.querySelectorAll("details")) folded.open = true;
      setTimeout(() => {
        const tables = Array.from(page.querySelectorAll(".scroll"));
        const wide = tables.filter((table) => table.scrollWidth > table.clientWidth + 2);
        const hinted = wide.filter((table) => frame.contentWindow.getComputedStyle(table, "::after").content.includes("sideways"));
        document.title = [page.documentElement.scrollWidth <= 390, wide.length > 0, hinted.length === wide.length,
          page.querySelectorAll(".wide").length === wide.length].join();
      }, 500);
      """
    #expect(try Browser.title(of: page, width: 390, after: script, in: folder) == "true,true,true,true")
  }

  /// The policy allows only the page's own script and style.
  @Test func theOwnScriptAndStyleAloneTakeEffect() throws {
    let script = """
      const root = page.documentElement;
      const seen = [];
      page.addEventListener("securitypolicyviolation", (event) => { seen.push(event.effectiveDirective); });
      const live = page.querySelectorAll(".browser").length === page.querySelectorAll(".browser.live").length;
      const styled = frame.contentWindow.getComputedStyle(page.querySelector(".skip")).position === "absolute";
      for (const [name, text] of [["script", "document.documentElement.lang = 'script'"], ["style", "* { color: red }"]]) {
        page.body.appendChild(page.createElement(name)).textContent = text;
      }
      page.body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='document.documentElement.lang = 1'>x</p>");
      page.body.lastElementChild.click();
      setTimeout(() => {
        document.title = [live, page.querySelectorAll(".browser.live").length > 0, styled, root.lang,
          ...new Set(seen.sort())].join();
      }, 500);
      """
    #expect(
      try Browser.title(of: page, width: 390, after: script, in: folder)
        == "true,true,true,en,script-src-attr,script-src-elem,style-src-attr,style-src-elem")
  }

  /// A browser reports no problem with pages with all kinds of pictures.
  @Test func nothingOfAPageIsRefused() throws {
    let pages = ["check", "run"].map { folder.file("\($0).html") }
    let check = ["check", try Tiny.data.path, "--report", pages[0].path, "--quiet"]
    let status = try dualnorm(check).status
    #expect([0, 1].contains(status))
    let report = ["report", try Tiny.run.path, "--data", try Tiny.data.path, "--output", pages[1].path]
    #expect(try dualnorm(report + ["--threads", "1", "--quiet"]).status == 0)
    #expect(try String(contentsOf: pages[1], encoding: .utf8).contains(#"class="pixels""#))
    for page in pages + [page] {
      let said = try Browser.complaints(of: page, in: folder)
      #expect(said == [], "\(page.lastPathComponent)")
    }
  }

  /// A heading is never the last line of a sheet.
  @Test(.enabled(if: Browser.readsPaper, "needs pdftotext")) func headingsStayWithWhatTheyHead() throws {
    let sheets = try Browser.print(page, in: folder)
    #expect(sheets.count > 3)
    let html = try String(contentsOf: page, encoding: .utf8)
    let heads = html.matches(of: #/<(h2|h3|h4|summary)[^>]*>(.*?)<//#).map { String($0.output.2) }
    #expect(heads.count > 10)
    for sheet in sheets.dropLast() {
      let last = sheet.split(separator: "\n").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
      #expect(!heads.contains { last.hasSuffix($0) }, "\(last)")
    }
  }
}

/// An evaluation of the tiny model on patients of Site-A, and on the same patients as the unseen Site-X.
enum Unseen {
  static func evaluation(in folder: TemporaryFolder) throws -> (folder: URL, output: String) {
    let data = folder.file("hospitals")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    for site in ["Site-A", "Site-X"] {
      try FileManager.default.copyItem(
        at: Tiny.data.appendingPathComponent("Site-A"), to: data.appendingPathComponent(site))
    }
    let output = folder.file("hospitals-evaluation")
    let result = try dualnorm(
      "evaluate", "--model", Tiny.run.path, "--data", data.path, "--output", output.path, "--threads", "1")
    #expect(result.status == 0, "\(result.errors)")
    return (output, result.output)
  }
}

/// Chromium without a window.
enum Browser {
  static let isThere = FileManager.default.isExecutableFile(atPath: chromium)
  static let readsPaper = isThere && FileManager.default.isExecutableFile(atPath: pdftotext)
  private static let chromium = "/usr/bin/chromium"
  private static let pdftotext = "/usr/bin/pdftotext"
  private static let options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]

  /// The title that a script sets; the script accesses the page as `page` in `frame`.
  static func title(of page: URL, width: Int, after script: String, in folder: TemporaryFolder) throws -> String {
    let file = folder.file("frame.html")
    let html = """
      <body><iframe src="\(page.absoluteString)" style="width: \(width)px; height: 800px; border: 0"></iframe><script>
      onload = () => { const frame = document.querySelector("iframe"); const page = frame.contentDocument;
      \(script)
      };</script></body>
      """
    try Data(html.utf8).write(to: file)
    let document = try run(
      chromium, options + ["--allow-file-access-from-files", "--dump-dom", file.absoluteString], in: folder)
    return document.firstMatch(of: #/<title>(.*?)</title>/#).map { String($0.output.1) } ?? ""
  }

  /// Messages of the browser's console on a page: a violated policy, or a script error.
  ///
  /// Messages on sizes that change during layout are neither.
  static func complaints(of page: URL, in folder: TemporaryFolder) throws -> [String] {
    let log = folder.file("console.log")
    try Data().write(to: log)
    let logging = ["--enable-logging=stderr", "--v=0", "--dump-dom", page.absoluteString]
    _ = try run(chromium, options + logging, in: folder, errors: log)
    return try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
      .filter { $0.contains("CONSOLE") && !$0.contains("ResizeObserver loop completed") }
      .map(String.init)
  }

  /// The text of each sheet of paper.
  static func print(_ page: URL, in folder: TemporaryFolder) throws -> [String] {
    let paper = folder.file("page.pdf")
    _ = try run(
      chromium, options + ["--print-to-pdf=\(paper.path)", "--no-pdf-header-footer", page.absoluteString], in: folder)
    let text = try run(pdftotext, ["-layout", paper.path, "-"], in: folder)
    return text.split(separator: "\u{0C}").map(String.init)
  }

  private static func run(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder, errors: URL? = nil
  ) throws -> String {
    let (process, file) = (Process(), folder.file("standard-output"))
    try Data().write(to: file)
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = try FileHandle(forWritingTo: file)
    process.standardError = try errors.map { try FileHandle(forWritingTo: $0) } ?? FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return try String(contentsOf: file, encoding: .utf8)
  }
}
