import MedicalImaging
import Testing

@Suite struct ComponentsTests {
  @Test func keepsTheLargestComponentOfEachLabel() {
    // Label 1 has two voxels, then three that touch only at an edge or a corner. Label 2 has two single voxels.
    let rows: [[UInt8]] = [
      [1, 0, 0, 1, 0, 2],
      [1, 0, 0, 0, 1, 0],
      [0, 0, 0, 1, 0, 0],
      [2, 0, 0, 0, 0, 9],
    ]
    let kept: [[UInt8]] = [
      [0, 0, 0, 1, 0, 2],
      [0, 0, 0, 0, 1, 0],
      [0, 0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0, 9],
    ]
    let geometry = Geometry(size: [6, 4, 1])
    let labels = ClassMap(voxels: rows.flatMap { $0 }, geometry: geometry)
    #expect(labels.keepingLargestComponents().voxels == kept.flatMap { $0 })
  }

  @Test func othersThanTheNamedLabelsStayAsTheyAre() {
    let labels = ClassMap(voxels: [1, 0, 1, 1, 0, 2, 0, 2, 2, 3], geometry: Geometry(size: [10, 1, 1]))
    #expect(labels.keepingLargestComponents(of: [2]).voxels == [1, 0, 1, 1, 0, 0, 0, 2, 2, 3])
    #expect(labels.keepingLargestComponents(of: [1, 3]).voxels == [0, 0, 1, 1, 0, 2, 0, 2, 2, 3])
    #expect(labels.keepingLargestComponents(of: []) == labels)
  }

  @Test func cornersConnectAcrossSlices() {
    var labels = ClassMap(repeating: 0, geometry: Geometry(size: [5, 3, 2]))
    labels[0, 0, 0] = 3
    labels[1, 1, 1] = 3
    labels[4, 2, 1] = 3
    let kept = labels.keepingLargestComponents()
    #expect(kept[0, 0, 0] == 3 && kept[1, 1, 1] == 3 && kept[4, 2, 1] == 0)
  }

  @Test func whereLabelsLieMakesNoDifferenceToTheirComponents() {
    func labels(size: SIMD3<Int>, from corner: Int) -> ClassMap {
      var labels = ClassMap(repeating: 0, geometry: Geometry(size: size))
      func set(_ x: Int, _ y: Int, _ z: Int, _ label: UInt8) { labels[corner + x, corner + y, corner + z] = label }
      for place in [(0, 0, 0), (1, 0, 0), (3, 1, 2), (3, 2, 2), (3, 2, 1)] { set(place.0, place.1, place.2, 4) }
      for place in [(1, 0, 1), (0, 3, 2), (0, 3, 1)] { set(place.0, place.1, place.2, 7) }
      return labels
    }
    let tight = labels(size: [4, 4, 3], from: 0).keepingLargestComponents()
    let loose = labels(size: [9, 10, 8], from: 3).keepingLargestComponents()
    for z in 0..<8 {
      for y in 0..<10 {
        for x in 0..<9 {
          let isInside = (3..<7).contains(x) && (3..<7).contains(y) && (3..<6).contains(z)
          #expect(loose[x, y, z] == (isInside ? tight[x - 3, y - 3, z - 3] : 0))
        }
      }
    }
    #expect(tight.voxels.count { $0 == 4 } == 3 && tight.voxels.count { $0 == 7 } == 2)
  }

  @Test func emptyStaysEmpty() {
    let empty = ClassMap(repeating: 0, geometry: Geometry(size: [3, 3, 3]))
    #expect(empty.keepingLargestComponents() == empty)
  }

  /// The first of equal parts in memory order stays, whatever lies between.
  @Test func ofEqualPartsTheFirstStays() {
    var labels = ClassMap(repeating: 0, geometry: Geometry(size: [5, 1, 3]))
    for x in [0, 1, 3, 4] { labels[x, 0, 1] = 1 }
    labels[2, 0, 1] = 2
    let kept = labels.keepingLargestComponents()
    #expect(kept.voxels == [UInt8](repeating: 0, count: 5) + [1, 1, 2, 0, 0] + [UInt8](repeating: 0, count: 5))
  }

  /// Compares with a voxel-by-voxel flood fill on random masks, whose parts touch in all possible ways.
  @Test(arguments: [1, 2, 3, 7], [SIMD3(9, 8, 7), [17, 1, 9], [1, 12, 11], [40, 40, 1], [3, 3, 60]])
  func areThoseOfFlooding(labelCount: Int, size: SIMD3<Int>) {
    var state: UInt64 = UInt64(labelCount)
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    for background in [1, 3, 8] {
      var labels = ClassMap(repeating: 0, geometry: Geometry(size: size))
      for index in labels.voxels.indices {
        let value = random(labelCount + background)
        labels.voxels[index] = value < labelCount ? UInt8(value + 1) : 0
      }
      #expect(labels.keepingLargestComponents() == flooded(labels))
    }
  }

  private func flooded(_ labels: ClassMap) -> ClassMap {
    let size = labels.geometry.size
    var seen = [Bool](repeating: false, count: labels.voxels.count)
    var best: [UInt8: [Int]] = [:]
    for start in labels.voxels.indices where labels.voxels[start] > 0 && !seen[start] {
      var part = [start]
      seen[start] = true
      var next = 0
      while next < part.count {
        let (x, y, z) = (part[next] % size.x, part[next] / size.x % size.y, part[next] / size.x / size.y)
        next += 1
        for k in max(z - 1, 0)...min(z + 1, size.z - 1) {
          for j in max(y - 1, 0)...min(y + 1, size.y - 1) {
            for i in max(x - 1, 0)...min(x + 1, size.x - 1) {
              let place = (k * size.y + j) * size.x + i
              guard !seen[place], labels.voxels[place] == labels.voxels[start] else { continue }
              seen[place] = true
              part.append(place)
            }
          }
        }
      }
      if part.count > best[labels.voxels[start], default: []].count { best[labels.voxels[start]] = part }
    }
    var result = ClassMap(repeating: 0, geometry: labels.geometry)
    for (label, part) in best { for place in part { result.voxels[place] = label } }
    return result
  }
}
