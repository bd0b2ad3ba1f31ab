extension Volume where Voxel == UInt8 {
  /// Keeps the largest connected component of each class above 0 (26 neighbours); the rest becomes 0.
  ///
  /// Among components of equal size, the first in memory stays. A class that is absent stays absent.
  ///
  /// - Parameter classes: the only classes to change; nil for all.
  public consuming func keepingLargestComponents(of classes: Set<UInt8>? = nil) -> ClassMap {
    if classes?.isEmpty == true { return self }
    let components = Components(of: voxels, size: geometry.size, labels: classes ?? Set(1...255))
    let width = geometry.size.x
    voxels.withUnsafeMutableBufferPointer { voxels in
      components.forEachRunOutsideTheLargest { row, run in
        voxels[row * width + Int(run.start)..<row * width + Int(run.end)].update(repeating: 0)
      }
    }
    return self
  }
}

/// The connected components of each label, as a forest of runs along x.
///
/// ITK's filter makes an image of 4 bytes a voxel. For masks all over a volume, that was a prediction's peak of memory.
private struct Components {
  /// The voxels start ..< end of a row, all of one label.
  struct Run {
    let start, end: Int32
    let label: UInt8
    /// The run itself or an earlier run of its component; in the end the component's first run.
    var parent: Int32
  }

  /// The runs in memory order.
  private var runs: [Run] = []
  /// The index of each row's first run, and the end.
  private var rows: [Int] = [0]

  init(of voxels: [UInt8], size: SIMD3<Int>, labels: Set<UInt8>) {
    let isWanted = (0...255).map { $0 > 0 && labels.contains(UInt8($0)) }
    rows.reserveCapacity(size.y * size.z + 1)
    for z in 0..<size.z {
      for y in 0..<size.y {
        let row = z * size.y + y
        addRuns(of: voxels, from: row * size.x, width: size.x, where: isWanted)
        if y > 0 { join(row, with: row - 1) }
        guard z > 0 else { continue }
        for other in max(y - 1, 0)...min(y + 1, size.y - 1) { join(row, with: row - size.y + other - y) }
      }
    }
    for index in runs.indices { runs[index].parent = Int32(first(of: index)) }
  }

  private mutating func addRuns(of voxels: [UInt8], from origin: Int, width: Int, where isWanted: [Bool]) {
    voxels.withUnsafeBufferPointer { voxels in
      var x = 0
      while x < width {
        let (start, label) = (x, voxels[origin + x])
        while x < width, voxels[origin + x] == label { x += 1 }
        guard isWanted[Int(label)] else { continue }
        runs.append(Run(start: Int32(start), end: Int32(x), label: label, parent: Int32(runs.count)))
      }
    }
    rows.append(runs.count)
  }

  /// Joins the runs of a row to those of a neighbouring row that they touch, corners included.
  private mutating func join(_ row: Int, with other: Int) {
    var near = rows[other]
    for index in rows[row]..<rows[row + 1] {
      let run = runs[index]
      while near < rows[other + 1], runs[near].end < run.start { near += 1 }
      var touching = near
      while touching < rows[other + 1], runs[touching].start <= run.end {
        if runs[touching].label == run.label { join(index, touching) }
        touching += 1
      }
    }
  }

  private mutating func join(_ a: Int, _ b: Int) {
    let (a, b) = (first(of: a), first(of: b))
    runs[max(a, b)].parent = Int32(min(a, b))
  }

  /// The first run of the component of run `index`; shortens the path to it.
  private mutating func first(of index: Int) -> Int {
    var index = index
    while runs[index].parent != index {
      let parent = Int(runs[index].parent)
      runs[index].parent = runs[parent].parent
      index = parent
    }
    return index
  }

  /// Calls the body with row and run.
  func forEachRunOutsideTheLargest(_ body: (Int, Run) -> Void) {
    var sizes = [Int](repeating: 0, count: runs.count)  // by first run
    for run in runs { sizes[Int(run.parent)] += Int(run.end - run.start) }
    var largest = [Int](repeating: -1, count: 256)
    for (index, run) in runs.enumerated() where run.parent == index {
      let best = largest[Int(run.label)]
      if best < 0 || sizes[index] > sizes[best] { largest[Int(run.label)] = index }
    }
    for row in 0..<rows.count - 1 {
      for run in runs[rows[row]..<rows[row + 1]] where Int(run.parent) != largest[Int(run.label)] { body(row, run) }
    }
  }
}
