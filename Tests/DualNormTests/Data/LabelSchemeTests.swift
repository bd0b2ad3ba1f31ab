import DualNorm
import Foundation
import MedicalImaging
import Testing

@Suite struct LabelSchemeTests {
  func labels(_ values: [UInt8]) -> LabelMap {
    LabelMap(voxels: values, geometry: Geometry(size: [values.count, 1, 1]))
  }

  @Test func occurringValuesBecomeConsecutiveClasses() throws {
    let scheme = try LabelScheme(values: [0, 7, 3])
    #expect(scheme.groups == [[3], [7]] && scheme.names == ["label 3", "label 7"] && scheme.classCount == 3)
    let classes = try scheme.classes(of: labels([0, 7, 3, 7]), file: "mask.nii")
    #expect(classes.voxels == [0, 2, 1, 2])
    #expect(scheme.fileValues(of: classes).voxels == [0, 7, 3, 7])
  }

  @Test func mergedValuesKeepTheirNames() throws {
    let names: [UInt8: String] = [0: "background", 1: "peripheral zone", 2: "central gland", 5: "lesion", 6: "cyst"]
    let scheme = try LabelScheme(values: [1], labelNames: names, merge: [[6, 5], [2, 1]])
    #expect(scheme.groups == [[2, 1], [6, 5]])
    #expect(scheme.names == ["central gland+peripheral zone", "cyst+lesion"])
    #expect(try scheme.classes(of: labels([1, 2, 5, 6]), file: "m").voxels == [1, 1, 2, 2])
    #expect(scheme.fileValue(ofClass: 1) == 2)
    #expect(try LabelScheme(values: [1, 2], merge: [[1, 2]]).names == ["label 1+2"])
  }

  @Test func aValueOutsideTheClassesNamesTheFile() throws {
    let scheme = try LabelScheme(values: [1, 2, 4], merge: [[1, 2]])
    #expect(
      sentence { try scheme.classes(of: labels([0, 3]), file: "/data/Case01_seg.nii.gz") }
        == "/data/Case01_seg.nii.gz: holds label 3, expected 0, 1, 2 and 4; correct the mask, or train with this label as a "
        + "class or merged into one (--merge-labels).")
  }

  @Test(
    arguments: [
      ([[1]], "--merge-labels 1: merging needs at least two values, such as 1,2."),
      ([[0, 1]], "--merge-labels 0,1: 0 is background and cannot be merged; name foreground values only."),
      ([[1, 9]], "--merge-labels 1,9: label 9 does not occur; the data's labels are 1, 2 and 3."),
      ([[1, 2], [2, 3]], "--merge-labels 2,3: label 2 is named twice; name each value once."),
    ] as [([[UInt8]], String)])
  func impossibleMergesAreRefused(_ merge: [[UInt8]], _ message: String) {
    #expect(sentence { try LabelScheme(values: [0, 1, 2, 3], merge: merge) } == message)
  }

  @Test func noForegroundIsRefused() {
    #expect(
      sentence { try LabelScheme(values: [0]) }
        == "The masks hold no label but 0 (background), so there is nothing to learn; check the masks.")
  }

  @Test func theOptionIsParsed() throws {
    #expect(try LabelScheme.mergeGroup("1, 2") == [1, 2])
    #expect(
      sentence { try LabelScheme.mergeGroup("1,,x") }
        == "--merge-labels 1,,x: expected label values from 1 to 255 separated by commas, such as 1,2.")
  }

  @Test func aSavedSchemeIsCheckedWhenRead() throws {
    let scheme = try LabelScheme(values: [1, 2])
    #expect(try JSONDecoder().decode(LabelScheme.self, from: JSONEncoder().encode(scheme)) == scheme)
    for json in [
      "{\"groups\": [[]], \"names\": [\"a\"]}", "{\"groups\": [[1], [1]], \"names\": [\"a\", \"b\"]}",
      "{\"groups\": [[0]], \"names\": [\"a\"]}", "{\"groups\": [[1]], \"names\": []}",
      "{\"groups\": [], \"names\": []}",
    ] {
      #expect(
        sentence { try JSONDecoder().decode(LabelScheme.self, from: Data(json.utf8)) }
          == "The label scheme must have a name and at least one value from 1 to 255 for each class, and no value twice."
      )
    }
  }
}
