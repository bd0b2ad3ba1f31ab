import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct FoundVolumesTests {
  private let scheme = LabelScheme(groups: [[1, 2], [7]], names: ["prostate", "lesion"])

  private func found(_ voxels: [LabelValue], _ name: String, isPicture: Bool = false) -> FoundVolumes {
    let geometry = Geometry(size: [voxels.count, 1, 1], spacingMM: [2, 5, 10])
    let image = URL(fileURLWithPath: isPicture ? "/a.png" : "/a.nii.gz")
    return FoundVolumes(
      in: LabelMap(voxels: voxels, geometry: geometry), scheme: scheme,
      of: Case(name: name, site: "S", images: [image], mask: nil), named: name, seconds: 2.04)
  }

  @Test func millilitresOrPixelsOfEachClass() {
    #expect(found([0, 1, 2, 7], "a").amounts == [0.2, 0.1])
    #expect(found([0, 1, 2, 7], "a", isPicture: true).amounts == [2, 1])
  }

  @Test func theTable() {
    let small = FoundVolumes(
      in: LabelMap(voxels: [1], geometry: Geometry(size: [1, 1, 1], spacingMM: [1, 1, 1])), scheme: scheme,
      of: Case(name: "tiny", site: "S", images: [], mask: nil), named: "tiny", seconds: 0)
    let rows = [found([0, 1, 2, 7], "a"), found([0, 0], "nothing"), small]
    #expect(
      FoundVolumes.table(of: rows, classNames: scheme.names) == """
        case     prostate, mL  lesion, mL
        a                0.20        0.10
        nothing             0           0
        tiny            <0.01           0

        """)
    #expect(
      FoundVolumes.warning(of: rows) == "Nothing was found in 1 of 3: nothing; look at these images."
        && FoundVolumes.warning(of: [small]) == nil)
    #expect(
      FoundVolumes.table(of: [found([0, 2], "p", isPicture: true)], classNames: scheme.names, seconds: true) == """
        case  prostate, pixels  lesion, pixels  seconds
        p                    1               0      2.0

        """)
  }
}
