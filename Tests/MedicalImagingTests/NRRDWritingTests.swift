import Basics
import Foundation
import MedicalImaging
import Testing

@Suite struct NRRDWritingTests {
  /// Grids along the patient's axes, flipped, permuted and oblique.
  static let grids: [Geometry] = {
    func oblique(_ a: Double, _ b: Double) -> [Double] {
      [
        cos(a), -sin(a) * cos(b), sin(a) * sin(b),
        sin(a), cos(a) * cos(b), -cos(a) * sin(b),
        0, sin(b), cos(b),
      ]
    }
    let spacing: SIMD3<Double> = [0.7, 0.1 + 0.2, 2.5]
    let origin: SIMD3<Double> = [-249.51171875, 1.0 / 3, -1e-7]
    let directions: [[Double]] = [
      Geometry.identityDirection, [-1, 0, 0, 0, -1, 0, 0, 0, 1], [1, 0, 0, 0, -1, 0, 0, 0, -1],
      [0, 0, -1, 1, 0, 0, 0, -1, 0], oblique(0.3, 0), oblique(0.1, -0.7), oblique(-2.9, 1.3),
    ]
    return directions.map { Geometry(size: [3, 4, 5], spacingMM: spacing, originMM: origin, direction: $0) }
  }()

  static func labels(_ geometry: Geometry, below bound: Int = 256) -> LabelMap {
    var random = SeededGenerator(seed: 3)
    let voxels = (0..<geometry.voxelCount).map { _ in LabelValue(random.integer(below: bound)) }
    return LabelMap(voxels: voxels, geometry: geometry)
  }

  @Test(arguments: grids, [true, false]) func comesBack(grid: Geometry, compressed: Bool) throws {
    try withFolder { folder in
      for bound in [256, 65536] {
        let url = folder.appendingPathComponent("labels.nrrd")
        let labels = Self.labels(grid, below: bound)
        try labels.writeNRRD(to: url, compressed: compressed)
        let copy = try LabelMap(contentsOf: url)
        #expect(copy.voxels == labels.voxels)
        Self.expectSamePlace(copy.geometry, grid)
        // Steps along the patient's axes have the same doubles; of others, the length is computed anew.
        if grid.direction.allSatisfy({ [0, 1, -1].contains($0) }) { #expect(copy.geometry == grid) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["labels.nrrd"])
      }
    }
  }

  /// The steps of the axes are equal to 2 units in the last place of their length, origins to the bit.
  static func expectSamePlace(_ a: Geometry, _ b: Geometry) {
    #expect(a.size == b.size && a.originMM == b.originMM)
    for axis in 0..<3 {
      let tolerance = 2 * b.spacingMM[axis].ulp
      #expect(abs(a.spacingMM[axis] - b.spacingMM[axis]) <= tolerance)
      for row in 0..<3 {
        let step = { (grid: Geometry) in grid.direction[3 * row + axis] * grid.spacingMM[axis] }
        #expect(abs(step(a) - step(b)) <= tolerance, "\(step(a)) against \(step(b))")
      }
    }
  }

  /// A NIfTI file holds the same place in 32 bits.
  @Test(arguments: grids) func liesWhereTheNIfTIFormLies(grid: Geometry) throws {
    try withFolder { folder in
      let labels = Self.labels(grid)
      let (nrrd, nifti) = (folder.appendingPathComponent("a.nrrd"), folder.appendingPathComponent("a.nii"))
      try labels.writeNRRD(to: nrrd)
      try labels.write(to: nifti)
      let (a, b) = (try LabelMap(contentsOf: nrrd), try LabelMap(contentsOf: nifti))
      #expect(a.voxels == b.voxels)
      #expect(largestDifference(a.geometry.affine, b.geometry.affine) < 1.6e-5)  // 2^-24 of 250 mm
      // From there on, both forms hold the same place.
      try b.writeNRRD(to: nrrd)
      Self.expectSamePlace(try LabelMap(contentsOf: nrrd).geometry, b.geometry)
    }
  }

  @Test(arguments: ImageWritingTests.positions) func keepsThePlaceOfFixtures(name: String) throws {
    try withFolder { folder in
      let grid = try Image(contentsOf: Fixtures.url(name)).geometry
      let url = folder.appendingPathComponent("labels.nrrd")
      try Self.labels(grid).writeNRRD(to: url)
      Self.expectSamePlace(try LabelMap(contentsOf: url).geometry, grid)
    }
  }

  @Test func theHeaderIsThis() throws {
    let geometry = Geometry(
      size: [3, 2, 1], spacingMM: [0.7, 0.25, 5], originMM: [-10.5, 0, 1e-7], direction: [-1, 0, 0, 0, 0, 1, 0, -1, 0])
    let labels = LabelMap(voxels: [0, 1, 2, 3, 4, 255], geometry: geometry)
    let header = """
      NRRD0004
      type: uint8
      dimension: 3
      space: left-posterior-superior
      sizes: 3 2 1
      space directions: (-0.7,0,0) (0,0,-0.25) (0,5,0)
      kinds: domain domain domain
      endian: little
      encoding: raw
      space origin: (-10.5,0,1e-07)


      """
    let raw = try labels.nrrd(compressed: false)
    #expect(Data(raw.joined()) == Data(header.utf8) + [0, 1, 2, 3, 4, 255])
    let wide = try labels.nrrd(compressed: false, withRoomFor: 256)
    #expect(wide[0] == Data(header.replacing("uint8", with: "uint16").utf8))
    #expect(wide[1] == Data([0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 255, 0]))
    let compressed = try labels.nrrd()
    #expect(compressed[0] == Data(header.replacing("raw", with: "gzip").utf8))
    #expect(compressed[1].prefix(2) == Data([0x1F, 0x8B]))
  }

  /// Labels take one byte a voxel, or two where one is above 255.
  @Test(arguments: [(255, 0, 1), (256, 0, 2), (2, 255, 1), (2, 1035, 2)] as [(LabelValue, LabelValue, Int)])
  func labelsTakeTheSmallestType(label: LabelValue, room: LabelValue, bytes: Int) throws {
    let labels = LabelMap(voxels: [0, label], geometry: Geometry(size: [2, 1, 1]))
    #expect(try labels.nrrd(compressed: false, withRoomFor: room)[1].count == 2 * bytes)
  }

  /// Noise, which needs several enlargements of the compressed bytes, and a map that hardly needs any.
  @Test(arguments: [1, 2, 65536]) func compresses(bound: Int) throws {
    try withFolder { folder in
      let labels = Self.labels(Geometry(size: [200, 100, 40]), below: bound)
      let url = folder.appendingPathComponent("labels.NRRD")
      try labels.writeNRRD(to: url)
      let copy = try Image(contentsOf: url)  // noise is no mask
      #expect(copy.voxels == labels.voxels.map(Float.init) && copy.geometry == labels.geometry)
      let limit = bound == 1 ? 10_000 : bound == 2 ? 250_000 : 1_700_000
      #expect(try Data(contentsOf: url).count < limit)
    }
  }

  @Test func refusesOtherNamesAndFolders() throws {
    let labels = LabelMap(repeating: 0, geometry: Geometry(size: [1, 1, 1]))
    #expect(throws: Refusal(.image, sentence: "/tmp/a.nhdr: not a name of a NRRD file; name the output .nrrd.")) {
      try labels.writeNRRD(to: URL(fileURLWithPath: "/tmp/a.nhdr"))
    }
    try withFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data([1]).write(to: file)
      #expect(throws: Refusal.self) { try labels.writeNRRD(to: file.appendingPathComponent("a.nrrd")) }
    }
  }
}
