import Testing
import Foundation
@testable import MedicalImaging
@Test func tryIt() throws {
  let url = URL(fileURLWithPath: ProcessInfo.processInfo.environment["TRY"]!)
  let image = try Image(contentsOf: url)
  print(image.geometry, image.voxels.reduce(0, +))
  try image.write(to: URL(fileURLWithPath: "/tmp/try/out.nii.gz"))
  try writeChannels([image, image], to: URL(fileURLWithPath: "/tmp/try/out4.nii.gz"))
  var m = Mask(repeating: false, geometry: Geometry(size: [5,4,3], spacingMM: [1,2,3]))
  m[1,1,1] = true
  print(m.distanceMap().voxels, m.surface().voxels.count(where: { $0 }))
}
