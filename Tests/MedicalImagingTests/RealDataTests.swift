import Foundation
import MedicalImaging
import Testing

private let data = Fixtures.root.deletingLastPathComponent().appendingPathComponent("shared/data")
private let isThere = FileManager.default.fileExists(atPath: data.path)

@Suite(.enabled(if: isThere, "needs ../shared/data")) struct RealDataTests {
  static let cases = [
    ("prostate/Site-B/Case00.nii.gz", "prostate/Site-B/Case00_segmentation.nii.gz"),
    ("lgg/Site-C/Case00.nii.gz", "lgg/Site-C/Case00_segmentation.nii.gz"),
    ("hippocampus/imagesTr/hippocampus_004.nii.gz", "hippocampus/labelsTr/hippocampus_004.nii.gz"),
  ]

  @Test(arguments: cases) func survivesRewriting(image: String, labels: String) throws {
    try withFolder { folder in
      let image = try Image(contentsOf: data.appendingPathComponent(image))
      let labels = try LabelMap(contentsOf: data.appendingPathComponent(labels))
      #expect(image.geometry.mismatch(with: labels.geometry) == nil)
      let (copy, labelCopy) = (folder.appendingPathComponent("i.nii.gz"), folder.appendingPathComponent("l.nii.gz"))
      try image.write(to: copy)
      try labels.write(to: labelCopy)
      let again = try Image(contentsOf: copy)
      #expect(again.voxels == image.voxels)
      #expect(try LabelMap(contentsOf: labelCopy).voxels == labels.voxels)
      #expect(again.geometry.affine.map(Float.init) == image.geometry.affine.map(Float.init))
    }
  }
}
