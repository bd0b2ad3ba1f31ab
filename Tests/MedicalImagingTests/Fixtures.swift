import Foundation
import MedicalImaging

/// Files and reference results from Tools/fixtures_imaging.py.
enum Fixtures {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func url(_ name: String) -> URL { root.appendingPathComponent("Tests/Fixtures/imaging/\(name)") }

  /// The voxels of every fixture: 0 to 59 in memory order.
  static let values = (0..<60).map(Float.init)

  struct Reference: Decodable {
    /// Each file's affine from nibabel: 3×4, row by row.
    let affines: [String: [Double]]
    let distances: [DistanceCase]
    let resampling: ResamplingCase
    let smoothing: SmoothingCase
  }

  struct DistanceCase: Decodable {
    let mask: [Int]
    let size: [Int]
    let spacing: [Double]
    let distance: [Double]
  }

  struct ResamplingCase: Decodable {
    struct Grid: Decodable {
      let size: [Int]
      let spacing: [Double]
      let origin: [Double]
      let matrix: [Double]

      var geometry: Geometry {
        Geometry(
          size: SIMD3(size[0], size[1], size[2]), spacingMM: SIMD3(spacing[0], spacing[1], spacing[2]),
          originMM: SIMD3(origin[0], origin[1], origin[2]), direction: matrix)
      }
    }
    let source: Grid
    let target: Grid
    let values: [Float]
    let linear: [Float]
    let nearest: [Float]
  }

  struct SmoothingCase: Decodable {
    let values: [Float]
    let smooth: [Float]
  }

  static let reference = try! JSONDecoder().decode(Reference.self, from: Data(contentsOf: url("reference.json")))
}

extension Geometry {
  /// The 3×4 affine from voxel indices to right-anterior-superior mm, row by row, as in nibabel.
  var affine: [Double] {
    (0..<12).map { index in
      let (row, column) = (index / 4, index % 4)
      let value = column == 3 ? originMM[row] : direction[3 * row + column] * spacingMM[column]
      return row < 2 ? -value : value
    }
  }
}

func largestDifference<Value: BinaryFloatingPoint>(_ a: [Value], _ b: [Value]) -> Value {
  a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// Runs `body` with a fresh folder, and removes it afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("imaging-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
