import Foundation
import MedicalImaging
import Testing

@Suite struct ImageNamesTests {
  @Test func namesTellWhatIsRead() {
    func kind(_ name: String) -> ImageNameKind { imageNameKind(URL(fileURLWithPath: "/none/\(name)")) }
    for name in ["a.nii", "A.NII.GZ", "a.nrrd", "a.mhd", "a.hdr", "a.png", "a.tiff"] {
      #expect(kind(name) == .read, "\(name)")
    }
    for name in ["a.nii.bz2", "a.MGZ", "a.mgh", "a.img", "a.img.gz", "a.dcm", "a.bmp"] {
      #expect(kind(name) == .unread, "\(name)")
    }
    for name in ["dataset.json", "all_list.txt", "a.raw", "a.gz", ".partial-1-a.nii.gz", "nii"] {
      #expect(kind(name) == .other, "\(name)")
    }
  }

  @Test func voxelsBesideTheirHeaderAreThatHeaders() throws {
    try withFolder { folder in
      for name in ["a.mhd", "a.raw", "b.raw"] { try Data([1]).write(to: folder.appendingPathComponent(name)) }
      #expect(imageNameKind(folder.appendingPathComponent("a.raw")) == .voxels)
      #expect(imageNameKind(Fixtures.url("two-files.img")) == .voxels)
      #expect(imageNameKind(Fixtures.url("packed.img.gz")) == .voxels)
      #expect(imageNameKind(folder.appendingPathComponent("b.raw")) == .other)
    }
  }
}
