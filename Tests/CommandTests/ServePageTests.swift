import Basics
import Foundation
import MedicalImaging
import Testing

/// The page of `dualnorm serve` in a browser, against what `predict` writes.
@Suite(.enabled(if: Browser.isThere, "needs chromium"), .endsSomeTime) struct ServePageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let isDone =
    "document.body.dataset.state === 'done' && document.querySelector('#canvas').dataset.drawn"

  private func isIn(_ state: String) -> String { "document.body.dataset.state === '\(state)'" }

  @Test func aVolumeIsSegmentedAsByPredict() throws {
    let scan = try Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")
    let expected = try predict(scan)
    let server = try PageServer(Tiny.run, in: folder)
    let browser = try DrivenBrowser(in: folder)
    try browser.open(server.address)
    try browser.wait(until: isIn("ready"))
    try browser.click("#start")
    #expect(try browser.text(of: "#problem") == "Choose a volume first.")
    try browser.choose([scan], in: "#files")
    #expect(try browser.text(of: "#chosen").hasPrefix("Case00.nii.gz ("))
    try browser.click("#start")
    try browser.wait(until: Self.isDone)

    let rows = try browser.evaluate(
      """
      Array.from(document.querySelectorAll("#volumes tbody tr"), (row) =>
        Array.from(row.cells, (cell) => cell.title.replace(/ voxels?$/, "") || cell.textContent))
      """, as: [[String]].self)
    #expect(rows == expected.voxels)
    let amounts = try browser.evaluate(
      "Array.from(document.querySelectorAll('#volumes tbody td:last-child'), (cell) => Number(cell.textContent))",
      as: [Double].self)
    for (amount, volume) in zip(amounts, expected.volumes) { #expect(abs(amount - volume) < 0.0051) }

    for (name, file) in [("mask.nii.gz", "mask.nii.gz"), ("first.nii.gz", "mask_first.nii.gz")] {
      let bytes = try browser.evaluate(
        """
        fetch(document.querySelector("#downloads a[data-name='\(name)']").href).then((answer) => answer.arrayBuffer())
          .then((bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))))
        """, as: String.self)
      #expect(Data(base64Encoded: bytes) == (try Data(contentsOf: folder.file(file))), "\(name)")
    }
    #expect(browser.complaints == [])
  }

  /// Outlines go with the class, and the shown slice with the keys.
  @Test func theViewerDrawsAndListens() throws {
    let server = try PageServer(Tiny.run, in: folder)
    let browser = try DrivenBrowser(in: folder)
    try browser.open(server.address)
    try browser.wait(until: isIn("ready"))
    try browser.choose([Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")], in: "#files")
    try browser.click("#start")
    try browser.wait(until: Self.isDone)
    let (greys, coloured) = try seen(by: browser)
    #expect(greys > 30 && coloured > 100)

    var before = try drawings(of: browser)
    try browser.click("[name=pass][value=both]")
    try browser.wait(until: "\(Self.drawn) > \(before)")
    #expect(try seen(by: browser).coloured > coloured)
    before = try drawings(of: browser)
    for place in 1...2 { try browser.click("#volumes tbody tr:nth-child(\(place)) input") }
    try browser.wait(until: "\(Self.drawn) > \(before)")
    try browser.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    #expect(try seen(by: browser) == (greys, 0))

    try browser.evaluate("document.querySelector('#picture').focus()")
    for (key, slice) in [("Home", 0), ("ArrowDown", 1), ("End", 3), ("ArrowLeft", 2)] {
      try browser.press(key)
      try browser.wait(until: "document.querySelector('#canvas').dataset.slice === '\(slice)'")
    }
    #expect(try browser.text(of: "#slice-text") == "3 of 4")

    // A reload finds the result again; the server forgets it when it is told to.
    let address = try browser.evaluate("document.querySelector('#downloads a').href", as: String.self)
    try browser.open(server.address)
    try browser.wait(until: Self.isDone)
    try browser.click("#remove")
    try browser.wait(until: isIn("ready"))
    #expect(browser.complaints == [])
    #expect(try browser.evaluate("fetch('\(address)').then((answer) => answer.status)", as: Int.self) == 404)
  }

  @Test func wrongFilesAreSentences() throws {
    let server = try PageServer(Tiny.run, in: folder)
    let browser = try DrivenBrowser(in: folder)
    try browser.open(server.address)
    try browser.wait(until: isIn("ready"))
    let damaged = folder.file("cut.nii.gz")
    try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")).prefix(3000).write(to: damaged)
    try browser.choose([damaged], in: "#files")
    try browser.click("#start")
    try browser.wait(until: isIn("failed"))
    let sentence = try browser.text(of: "#problem")
    // Names are the user's, never places on the server.
    #expect(sentence.hasPrefix("cut.nii.gz: ") && !sentence.contains("/"), "\(sentence)")
    #expect(browser.complaints == [])
    // What a policy forbids would be noticed.
    try browser.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))")
    try browser.wait(until: "true")
    #expect(browser.complaints.contains { $0.contains("Content Security Policy") })
  }

  @Test func aSeriesBehindAToken() throws {
    let token = "correct-horse-battery-staple"
    try Data("\(token)\n".utf8).write(to: folder.file("token"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.file("token").path)
    let server = try PageServer(Tiny.run, "--token", folder.file("token").path, in: folder)
    let browser = try DrivenBrowser(in: folder)
    try browser.open(server.address)
    for word in ["wrong-wrong-wrong", token] {
      try browser.wait(until: isIn("token"))
      try browser.evaluate("document.querySelector('#token').value = '\(word)'")
      try browser.click("#token-send")
      if word != token { try browser.wait(until: "document.querySelector('#problem').textContent.includes('refuses')") }
    }
    try browser.wait(until: isIn("ready"))
    let series = fixtures.appendingPathComponent("dicom/oblique")
    try browser.choose(contents(of: series).map(series.appendingPathComponent), in: "#files")
    try browser.click("#start")
    try browser.wait(until: Self.isDone)
    #expect(
      try browser.evaluate(
        "Array.from(document.querySelectorAll('#downloads a'), (link) => link.dataset.name)", as: [String].self)
        == ["mask.nii.gz", "mask.dcm", "first.nii.gz", "uncertainty.nii.gz"])
    // The browser reports the two answers without a right token, and nothing else.
    #expect(browser.complaints.allSatisfy { $0.contains("401") }, "\(browser.complaints)")
  }

  // MARK: What is there

  private static let drawn = "Number(document.querySelector('#canvas').dataset.drawn)"

  private func drawings(of browser: DrivenBrowser) throws -> Int { try browser.evaluate(Self.drawn, as: Int.self) }

  /// The number of different greys of the canvas, and of its pixels that have a colour.
  private func seen(by browser: DrivenBrowser) throws -> (greys: Int, coloured: Int) {
    let script = """
      (() => {
        const shown = document.querySelector("#canvas");
        // Chromium warns of a canvas that is read often.
        const copy = Object.assign(document.createElement("canvas"), {width: shown.width, height: shown.height});
        const context = copy.getContext("2d", {willReadFrequently: true});
        context.drawImage(shown, 0, 0);
        const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
        const greys = new Set();
        let coloured = 0;
        for (let place = 0; place < pixels.length; place += 4) {
          const [red, green, blue] = pixels.slice(place, place + 3);
          if (red === green && green === blue) greys.add(red); else coloured += 1;
        }
        return [greys.size, coloured];
      })()
      """
    let found = try browser.evaluate(script, as: [Int].self)
    return (found[0], found[1])
  }

  /// Rows of name, value and voxels of both passes, and volumes of the final pass in mL, by `predict`.
  private func predict(_ scan: URL) throws -> (voxels: [[String]], volumes: [Double]) {
    let result = try dualnorm(
      "predict", "--model", Tiny.run.path, "--input", scan.path, "--output", folder.file("mask.nii.gz").path,
      "--first-pass",
      "--statistics", folder.file("table.csv").path, "--quiet")
    try #require(result.status == 0, "\(result.errors)")
    let first = try LabelMap(contentsOf: folder.file("mask_first.nii.gz")).histogram
    let rows = try CSVRecords(folder.text("table.csv"), file: "table.csv").records.map(\.fields).dropFirst()
    try #require(rows.count == 2)
    return (
      try rows.map { row in [row[1], row[2], "\(first[try #require(Int(row[2]))])", row[3]] },
      try rows.map { try #require(Double($0[4])) }
    )
  }
}

/// A running `dualnorm serve` on a free port, which ends with this object.
private final class PageServer {
  private let command: RunningCommand
  let address: String

  init(_ run: URL, _ more: String..., in folder: TemporaryFolder) throws {
    let messages = folder.file("serve-messages")
    try Data().write(to: messages)
    command = try RunningCommand(
      ["serve", run.path, "--listen", "127.0.0.1:0", "--threads", "1"] + more,
      errors: FileHandle(forWritingTo: messages))
    var (said, address) = ("", Substring?.none)
    while command.isRunning, address == nil {
      Thread.sleep(forTimeInterval: 0.05)
      said = try String(contentsOf: messages, encoding: .utf8)
      address = said.firstMatch(of: #/on (http:\S+) for/#)?.1
    }
    self.address = String(try #require(address, "\(said)"))
  }

  deinit {
    command.interrupt()
    _ = try? command.finish()
  }
}
