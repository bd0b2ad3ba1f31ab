import Basics
import Foundation

/// The axes of a NRRD: the spatial ones, and their directions in the frame LPS+.
struct NRRDAxes {
  private let header: TextHeader
  /// A step along each axis in the header's frame; nil for `none`. Empty without the field.
  private let vectors: [[Double]?]
  /// Indices of the axes of space and time.
  let spatial: [Int]
  /// The product of the other axes' lengths.
  let numbersPerVoxel: Int

  private static let kindsOfSpace: Set<String> = ["domain", "space", "time", "???", "none", "unknown"]

  init(_ header: TextHeader, _ sizes: [Int]) throws {
    self.header = header
    vectors = try Self.vectors("spacedirections", header)
    let kinds = header.fields["kinds"]?.split(maxSplits: 16, whereSeparator: \.isWhitespace).map { $0.lowercased() }
    guard kinds.map({ $0.count == sizes.count }) ?? true else {
      throw header.fault("kinds", "\(sizes.count) words")
    }
    guard vectors.isEmpty || vectors.count == sizes.count else {
      throw header.fault("spacedirections", "\(sizes.count) vectors")
    }
    let areAllNone = vectors.allSatisfy { $0 == nil }
    let vectors = vectors
    let spatial = sizes.indices.filter { axis in
      let isOfSpace = kinds.map { Self.kindsOfSpace.contains($0[axis]) } ?? true
      return isOfSpace && (areAllNone || vectors[axis] != nil || kinds?[axis] == "domain")
    }
    self.spatial = spatial
    numbersPerVoxel = sizes.indices.filter { !spatial.contains($0) }
      .reduce(1) { $0.multipliedReportingOverflow(by: sizes[$1]).overflow ? .max : $0 * sizes[$1] }
  }

  /// Tells whether a voxel's numbers lie side by side, before the axes of space, rather than behind them.
  ///
  /// - Throws: `Refusal` for numbers between the axes of space.
  func areNumbersFirst(_ sizes: [Int]) throws -> Bool {
    let others = sizes.indices.filter { sizes[$0] > 1 && !spatial.contains($0) }
    guard let first = spatial.first, let last = spatial.last, let least = others.first, let greatest = others.last
    else { return true }
    guard greatest < first || least > last else {
      throw Refusal(
        .image, header.url.path, "its numbers of a voxel lie between its axes of space",
        detail: "expected them before or behind", remedy: "export it again as NIfTI")
    }
    return greatest < first
  }

  func geometry(_ size: SIMD3<Int>) throws -> Geometry {
    let space = try NRRDSpace(header)
    let steps = vectors.isEmpty ? [] : spatial.prefix(3).map { vectors[$0] }
    if let dimension = space.dimension {
      guard dimension == spatial.count else {
        throw Refusal(
          .image, header.url.path, "it has \(spatial.count) axes of space, and its header speaks of \(dimension)",
          remedy: "correct the header")
      }
      guard (steps + [origin]).allSatisfy({ $0.map { $0.count == dimension } ?? true }) else {
        throw header.fault("spacedirections", "\(dimension) numbers a vector")
      }
    }
    space.reportDoubts()
    var grid = Geometry(size: size)
    try setSpacings(&grid)
    guard space.dimension != nil else { return grid }
    let known = steps.compactMap { $0.map(space.turned) }
    if known.count == steps.count, !known.isEmpty {
      grid = Geometry(size: size, vectors: known, originMM: grid.originMM)
    }
    if let origin { grid.originMM = space.turned(origin) }
    return grid
  }

  private var origin: [Double]? { (try? Self.vectors("spaceorigin", header))?.first ?? nil }

  /// Sets spacings without directions; a negative one runs backwards.
  ///
  /// `axis mins` are the outer edges of the first voxels.
  private func setSpacings(_ grid: inout Geometry) throws {
    func values(_ key: String) throws -> [Double]? {
      guard header.fields[key] != nil else { return nil }
      guard let values = header.numbers(key, atMost: 16), values.count > (spatial.last ?? 0) else {
        throw header.fault(key, "a number an axis")
      }
      return spatial.prefix(3).map { values[$0] }
    }
    guard let spacings = try values("spacings") else { return }
    let mins = try values("axismins")
    let centers = (header.fields["centers"] ?? header.fields["centerings"])?.split(whereSeparator: \.isWhitespace)
    let hasMins = mins?.allSatisfy(\.isFinite) ?? false && spacings.allSatisfy(\.isFinite)
    for (axis, spacing) in spacings.enumerated() where !spacing.isNaN {
      grid.spacingMM[axis] = abs(spacing)
      if spacing < 0 { grid.direction[4 * axis] = -1 }
      guard hasMins, let mins else { continue }
      let isNode = centers.map { $0.count > spatial[axis] && $0[spatial[axis]] == "node" } ?? false
      grid.originMM[axis] = mins[axis] + (isNode ? 0 : spacing / 2)
    }
  }

  /// Parses `(1,0,0) (0,1,0) none`, with nil for `none`.
  private static func vectors(_ key: String, _ header: TextHeader) throws -> [[Double]?] {
    guard let text = header.fields[key] else { return [] }
    var found: [[Double]?] = []
    var rest = text[...]
    while let first = rest.first, found.count <= 16 {
      if first.isWhitespace {
        rest.removeFirst()
      } else if first == "(" {
        guard let end = rest.firstIndex(of: ")"), rest.distance(from: rest.startIndex, to: end) < 1000 else { break }
        let numbers = rest[..<end].dropFirst().split(separator: ",", omittingEmptySubsequences: false)
        guard numbers.count <= 8,
          let values = all(numbers.map { Double($0.trimmingCharacters(in: .whitespaces)) })
        else { break }
        found.append(values)
        rest = rest[rest.index(after: end)...]
      } else if rest.hasPrefix("none") {
        found.append(nil)
        rest = rest.dropFirst(4)
      } else {
        break
      }
    }
    guard rest.isEmpty else { throw header.fault(key, "vectors such as (1,0,0)") }
    return found
  }
}
