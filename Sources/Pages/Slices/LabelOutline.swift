/// The border of one label of a slice as SVG path data: closed loops along pixel edges, with whole-number corners.
///
/// Filled by the even-odd rule, it covers the label's pixels without holes.
struct LabelOutline {
  private let labels: [UInt8]
  private let width, height: Int

  /// - Parameter labels: row by row, `width · height`.
  init(_ labels: [UInt8], width: Int, height: Int) {
    precondition(labels.count == width * height, "\(labels.count) labels do not fill \(width)×\(height)")
    (self.labels, self.width, self.height) = (labels, width, height)
  }

  /// The path of a label; empty if the slice has no such pixel.
  func path(of label: UInt8) -> String {
    var edges = directedEdges(around: label)
    var path = ""
    for start in edges.keys.sorted() {
      while let first = edges[start]?.first { path += loop(from: start, heading: first, &edges) }
    }
    return path
  }

  /// The direction of an edge from a corner, in the order of turns to the right.
  private enum Heading: Int {
    case right, down, left, up

    var turnedRight: Heading { Heading(rawValue: (rawValue + 1) % 4)! }
    var turnedLeft: Heading { Heading(rawValue: (rawValue + 3) % 4)! }
  }

  /// The edges that leave each corner, y · (width + 1) + x, with the label on their right.
  private func directedEdges(around label: UInt8) -> [Int: [Heading]] {
    var edges: [Int: [Heading]] = [:]
    let corners = width + 1
    func has(_ x: Int, _ y: Int) -> Bool { 0..<width ~= x && 0..<height ~= y && labels[y * width + x] == label }
    for y in 0..<height {
      for x in 0..<width where labels[y * width + x] == label {
        let corner = y * corners + x
        if !has(x, y - 1) { edges[corner, default: []].append(.right) }
        if !has(x + 1, y) { edges[corner + 1, default: []].append(.down) }
        if !has(x, y + 1) { edges[corner + corners + 1, default: []].append(.left) }
        if !has(x - 1, y) { edges[corner + corners, default: []].append(.up) }
      }
    }
    return edges
  }

  /// Removes the edges of one loop from `edges`; where two pixels touch at a corner, the loop stays with its own pixel.
  private func loop(from start: Int, heading first: Heading, _ edges: inout [Int: [Heading]]) -> String {
    let corners = width + 1
    var path = "M\(start % corners) \(start / corners)"
    var (corner, heading, length) = (start, first, 0)
    func run() -> String {
      switch heading {
      case .right: "h\(length)"
      case .left: "h-\(length)"
      case .down: "v\(length)"
      case .up: "v-\(length)"
      }
    }
    repeat {
      edges[corner]!.remove(at: edges[corner]!.firstIndex(of: heading)!)
      length += 1
      switch heading {
      case .right: corner += 1
      case .down: corner += corners
      case .left: corner -= 1
      case .up: corner -= corners
      }
      if corner == start { break }
      let next = [heading.turnedRight, heading, heading.turnedLeft].first { edges[corner]?.contains($0) ?? false }!
      if next != heading {
        path += run()
        (heading, length) = (next, 0)
      }
    } while true
    // Closing the loop draws the last side.
    return path + "z"
  }
}
