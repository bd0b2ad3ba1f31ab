import Basics
import DualNorm
import Pictures

/// One slice in panels. The page holds the image and each outline once; further panels refer to them.
struct SliceFigure {
  private let id, name: String
  private let number, count: Int
  private let row: SheetRow
  private let classCount: Int
  private let window: SliceWindow
  private let reduction: Int
  private let referenceName: String
  private let counts: Counts

  /// - Parameters:
  ///   - id: unique on the page.
  ///   - number: the slice's number, from 1.
  ///   - row: the cropped slice.
  ///   - referenceName: the name of its reference.
  init(
    id: String, name: String, number: Int, of count: Int, row: SheetRow, classCount: Int,
    window: SliceWindow, reduction: Int, referenceName: String = "truth"
  ) {
    (self.id, self.name, self.number, self.count) = (id, name, number, count)
    (self.row, self.classCount, self.window, self.reduction) = (row, classCount, window, reduction)
    self.referenceName = referenceName
    counts = Counts(row, hasClasses: classCount > 1)
  }

  func html(isStart: Bool) throws -> Markup {
    let source = try Picture.slice(
      row.channels, width: row.width, height: row.height, window: window, reduction: reduction)
    let size: Markup = "width=\"\(row.width)\" height=\"\(position(height))\""
    let image: Markup = "<image id=\"\(id)-i\" \(size) preserveAspectRatio=\"none\" href=\"\(source)\"/>"
    let place = "slice \(number) of \(count)"
    var panels = [panel("image", image, "\(name), \(place)")]
    if let reference = row.reference {
      let paths = outlines(of: reference, key: "t", isReference: false)
      panels.append(panel(referenceName, copy + paths, "\(name), \(place), \(referenceName) outlined"))
    }
    let titles = PassTitles(row.finalPass == nil ? [.first] : Pass.allCases)
    for (pass, key, labels) in [(Pass.first, "p", row.firstPass), (.final, "q", row.finalPass)] {
      guard let labels else { continue }
      let title = titles.heading(of: pass)
      let truth = row.reference.map { outlines(of: $0, key: "t", isReference: true) }
      panels.append(
        panel(
          title, copy + (truth ?? "") + outlines(of: labels, key: key, isReference: false),
          "\(name), \(place), \(title) outlined over the truth"))
    }
    if let difference = counts.map {
      panels.append(panel("difference", copy + fills(difference), "\(name), \(place): \(counts.sentence)"))
    }
    return """
      <section class="slice\(isStart ? " start" : "")" aria-label="\(place)">
      <p class="place">\(heading)</p>
      <div class="panels">\(panels)</div>
      </section>

      """
  }

  /// The heading; a picture has no slice number.
  private var heading: String {
    [count > 1 ? "Slice \(number) of \(count)" : nil, counts.map == nil ? nil : counts.sentence]
      .compactMap { $0 }.joined(separator: ": ")
  }

  private var height: Double { Double(row.height) * row.pixelAspect }

  private var copy: Markup { "<use href=\"#\(id)-i\"/>" }

  private func panel(_ title: String, _ content: Markup, _ alternative: String) -> Markup {
    """
    <figure class="panel"><svg viewBox="0 0 \(row.width) \(position(height))" role="img" \
    aria-label="\(alternative)">\(content)</svg><figcaption>\(title)</figcaption></figure>

    """
  }

  /// One line a class, in its colour.
  ///
  /// In a pass, the truth's lines are dashed beneath, referring to the truth's panel.
  private func outlines(of labels: [UInt8], key: String, isReference: Bool) -> Markup {
    let outline = LabelOutline(labels, width: row.width, height: row.height)
    let present = (1...max(classCount, 1)).filter { labels.contains(UInt8($0)) }
    let lines = present.map { label -> Markup in
      let path = "\(id)-\(key)\(label)"
      if isReference { return "<use href=\"#\(path)\" class=\"under\"/><use href=\"#\(path)\" class=\"dash\"/>" }
      return """
        <g class="k\((label - 1) % 7 + 1)"><path id="\(path)" class="o" d="\(outline.path(of: UInt8(label)))" \
        transform="\(scaling)"/></g>
        """
    }
    return "<g class=\"outlines\">\(lines)</g>"
  }

  private func fills(_ difference: [UInt8]) -> Markup {
    let outline = LabelOutline(difference, width: row.width, height: row.height)
    let parts = [(1, "missed"), (2, "false"), (3, "other"), (4, "right")].map { value, name -> Markup in
      let path = outline.path(of: UInt8(value))
      return path.isEmpty ? "" : "<path class=\"\(name)\" d=\"\(path)\" transform=\"\(scaling)\"/>"
    }
    return "<g class=\"fills\">\(parts)</g>"
  }

  private var scaling: String { "scale(1 \(shortest((row.pixelAspect * 1e4).rounded() / 1e4)))" }

  /// The differences of the last pass from the truth.
  private struct Counts {
    /// A code for each pixel: 0 background in both, 1 missed, 2 falsely found, 3 another class, 4 right.
    let map: [UInt8]?
    let sentence: String

    init(_ row: SheetRow, hasClasses: Bool) {
      guard let reference = row.reference, let found = row.lastPass else {
        (map, sentence) = (nil, "")
        return
      }
      let kinds = zip(reference, found).map { truth, found -> UInt8 in
        switch (truth, found) {
        case (0, 0): 0
        case (_, 0): 1
        case (0, _): 2
        default: truth == found ? 4 : 3
        }
      }
      func count(_ kind: UInt8) -> Int { kinds.count { $0 == kind } }
      map = kinds
      sentence =
        "\(count(4)) pixels right, \(count(1)) missed, \(count(2)) falsely found"
        + (hasClasses ? ", \(count(3)) of another class" : "")
    }
  }
}
