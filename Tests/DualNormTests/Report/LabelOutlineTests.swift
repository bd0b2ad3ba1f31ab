import Testing

@testable import Basics
@testable import Pages

@Suite struct LabelOutlineTests {
  @Test func aSquareIsOneLoop() {
    let labels: [UInt8] = [
      0, 0, 0, 0,
      0, 1, 1, 0,
      0, 1, 1, 0,
    ]
    #expect(LabelOutline(labels, width: 4, height: 3).path(of: 1) == "M1 1h2v2h-2z")
    #expect(LabelOutline(labels, width: 4, height: 3).path(of: 2) == "")
  }

  @Test func pixelsThatTouchAtACornerAreLoopsOfTheirOwn() {
    #expect(LabelOutline([1, 0, 0, 1], width: 2, height: 2).path(of: 1) == "M0 0h1v1h-1zM1 1h1v1h-1z")
  }

  /// The even-odd fill of each path equals its pixels, with holes and the slice's edges.
  @Test func filledPathsAreTheLabels() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<20 {
      let (width, height) = (Int.random(in: 1...9, using: &generator), Int.random(in: 1...9, using: &generator))
      let labels = (0..<width * height).map { _ in UInt8.random(in: 0...2, using: &generator) }
      let outline = LabelOutline(labels, width: width, height: height)
      for label in UInt8(1)...2 {
        let filled = try fill(outline.path(of: label), width: width, height: height)
        #expect(filled == labels.map { $0 == label })
      }
    }
  }

  /// Finds the pixels with an odd number of vertical sides to their left.
  private func fill(_ path: String, width: Int, height: Int) throws -> [Bool] {
    var inside = [Bool](repeating: false, count: width * height)
    for loop in path.split(separator: "z") {
      let numbers = try #require(loop.wholeMatch(of: /M(\d+) (\d+)(.*)/))
      let start = (x: Int(numbers.1)!, y: Int(numbers.2)!)
      var (x, y) = start
      var sides = loop.matches(of: /([hv])(-?\d+)/).map { ($0.1 == "h", Int($0.2)!) }
      let (dx, dy) = (sides.reduce(0) { $0 + ($1.0 ? $1.1 : 0) }, sides.reduce(0) { $0 + ($1.0 ? 0 : $1.1) })
      #expect(dx == 0 || dy == 0)
      sides.append((dx != 0, dx != 0 ? -dx : -dy))
      for (isAcross, length) in sides {
        if !isAcross {
          for row in min(y, y + length)..<max(y, y + length) {
            for column in x..<width where x < width { inside[row * width + column].toggle() }
          }
        }
        (x, y) = isAcross ? (x + length, y) : (x, y + length)
      }
      #expect((x, y) == start)
    }
    return inside
  }
}
