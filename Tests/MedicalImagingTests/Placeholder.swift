import Testing
import Foundation
@testable import MedicalImaging
@Test func tryIt() throws {
  for path in try FileManager.default.contentsOfDirectory(atPath: "/tmp/try").sorted() where !path.hasPrefix("out") {
   do {
    let image = try Image(contentsOf: URL(fileURLWithPath: "/tmp/try/" + path))
    let g = image.geometry
    print("FILE", path, g.size.x, g.size.y, g.size.z, g.frame.map { "\($0)" }.joined(separator: " "), image.voxels.min()!, image.voxels.max()!)
    try image.write(to: URL(fileURLWithPath: "/tmp/try/out/" + path.replacingOccurrences(of: ".nii", with: "") + ".nii.gz"))
   } catch { print("FILE", path, error) }
  }
}
