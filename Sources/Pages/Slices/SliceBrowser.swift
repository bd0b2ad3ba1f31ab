import Basics
import Pictures

/// The slices of one case, one at a time: image, truth, first and final pass, and differences of the last pass.
///
/// Without scripts all slices appear one below the other; the page's script shows one and a slider.
struct SliceBrowser {
  /// Unique on the page.
  let id: String
  let title: String
  /// A remark beside the title, such as a score.
  let note: String
  /// Every slice of the case, in order.
  let rows: [SheetRow]
  let classNames: [String]
  let plan: SlicePlan

  init(id: String, title: String, note: String, rows: [SheetRow], classNames: [String], pixels: Int) {
    (self.id, self.title, self.note, self.rows, self.classNames) = (id, title, note, rows, classNames)
    plan = SlicePlan(rows, pixels: pixels)
  }

  func html() throws -> Markup {
    let shown = plan.slices.map { (z: $0, row: rows[$0].cropped(columns: plan.columns, rows: plan.rows)) }
    let window = SliceWindow(of: shown.map(\.row))
    let slices = try shown.map { z, row in
      try SliceFigure(
        id: "\(id)-\(z)", name: title, number: z + 1, of: rows.count, row: row, classCount: classNames.count,
        window: window, reduction: plan.reduction
      ).html(isStart: z == plan.start)
    }
    let last = shown.count - 1
    let start = plan.slices.firstIndex(of: plan.start)!
    return """
      <article class="browser" id="\(id)" aria-labelledby="\(id)-title">
      <h4 id="\(id)-title">\(title)</h4>
      <p class="about">\(note) \(limits)</p>
      <div class="controls" hidden="hidden">
      <button type="button" data-step="-1" aria-label="Previous slice">◀</button>
      <input type="range" min="0" max="\(last)" value="\(start)" aria-label="Slice of \(title)"/>
      <button type="button" data-step="1" aria-label="Next slice">▶</button>
      <output aria-live="polite"></output>
      </div>
      <div class="slices" tabindex="0" role="group" aria-label="Slices of \(title)">
      \(slices)</div>
      </article>

      """
  }

  /// A sentence on how much is shown, if not everything.
  private var limits: String {
    let whole = plan.columns.count == rows[0].width && plan.rows.count == rows[0].height
    var parts = rows.count > 1 ? ["\(counted(plan.slices.count, "slice")) of \(rows.count)"] : []
    if plan.step > 1 { parts.append("every \(plan.step)th slice with a label") }
    if !whole {
      parts.append(
        "\(plan.columns.count)×\(plan.rows.count) of \(rows[0].width)×\(rows[0].height) pixels, around the labels")
    }
    if plan.reduction > 1 { parts.append("the image reduced \(plan.reduction) times") }
    return parts.isEmpty ? "" : "Shown: \(parts.joined(separator: "; "))."
  }
}

/// The legend of all browsers of a page.
func sliceLegend(classNames: [String]) -> Markup {
  let classes = classNames.enumerated().map { index, name in
    "<li><span class=\"swatch k\((index % 7) + 1)\"></span>\(name)</li>" as Markup
  }
  let other: Markup? = classNames.count > 1 ? "<li><span class=\"swatch other\"></span>another class</li>" : nil
  return """
    <ul class="legend">\(classes)<li><span class="swatch dashed"></span>truth, in the passes</li>
    <li><span class="swatch missed"></span>missed</li><li><span class="swatch false"></span>falsely found</li>
    \(other)<li><span class="swatch right"></span>right</li></ul>

    """
}
