import Foundation
import MedicalImaging
import Testing

@testable import DualNorm
@testable import Scores

@Suite struct LabelSchemeTests {
  func labels(_ values: [LabelValue]) -> LabelMap {
    LabelMap(voxels: values, geometry: Geometry(size: [values.count, 1, 1]))
  }

  @Test func occurringValuesBecomeConsecutiveClasses() throws {
    let scheme = try LabelScheme(values: [0, 7, 3])
    #expect(scheme.groups == [[3], [7]] && scheme.names == ["label 3", "label 7"] && scheme.classCount == 3)
    let classes = try scheme.classes(of: labels([0, 7, 3, 7]), file: "mask.nii")
    #expect(classes.voxels == [0, 2, 1, 2])
    #expect(scheme.fileValues(of: classes).voxels == [0, 7, 3, 7])
  }

  /// Segments have the colours of pictures, all different.
  @Test func segmentsHaveColoursOfTheirOwn() throws {
    let segments = try LabelScheme(values: Set(0...60)).dicomSegments
    #expect(segments.count == 60 && Set(segments.map(\.color)).count == 60)
    #expect(segments[0] == DICOMSegment(value: 1, name: "label 1", color: [230, 159, 0]))
    #expect(segments[6].color == [0, 114, 178] && segments[7].color != segments[0].color)
  }

  @Test func mergedValuesKeepTheirNames() throws {
    let names: [LabelValue: String] = [
      0: "background", 1: "peripheral zone", 2: "central gland", 5: "lesion", 6: "cyst",
    ]
    let scheme = try LabelScheme(values: [1], labelNames: names, merge: [[6, 5], [2, 1]])
    #expect(scheme.groups == [[2, 1], [6, 5]])
    #expect(scheme.names == ["central gland + peripheral zone", "cyst + lesion"])
    #expect(try scheme.classes(of: labels([1, 2, 5, 6]), file: "m").voxels == [1, 1, 2, 2])
    #expect(scheme.fileValue(ofClass: 1) == 2)
    #expect(try LabelScheme(values: [1, 2], merge: [[1, 2]]).names == ["label 1+2"])
  }

  @Test func aValueOutsideTheClassesNamesTheFile() throws {
    let scheme = try LabelScheme(values: [1, 2, 4], merge: [[1, 2]])
    #expect(
      sentence { try scheme.classes(of: labels([0, 3]), file: "/data/Case01_seg.nii.gz") }
        == "/data/Case01_seg.nii.gz: holds label 3, expected 0, 1, 2 and 4; correct the mask, leave the label out "
        + "(--exclude-labels), or train with it as a class or merged into one (--merge-labels).")
  }

  @Test(
    arguments: [
      ([[1]], "--merge-labels 1: merging needs at least two values, such as 1,2."),
      ([[0, 1]], "--merge-labels 0,1: 0 is background and cannot be merged; name foreground values only."),
      ([[1, 9]], "--merge-labels 1,9: label 9 does not occur; the data's labels are 1, 2 and 3."),
      ([[1, 2], [2, 3]], "--merge-labels 2,3: label 2 is named twice; name each value once."),
    ] as [([[LabelValue]], String)])
  func impossibleMergesAreRefused(_ merge: [[LabelValue]], _ message: String) {
    #expect(sentence { try LabelScheme(values: [0, 1, 2, 3], merge: merge) } == message)
  }

  @Test func excludedValuesAreBackground() throws {
    let names: [LabelValue: String] = [0: "background", 1: "liver", 2: "spleen", 3: "vessel"]
    let scheme = try LabelScheme(values: [1, 2, 3, 9], labelNames: names, exclude: [3, 9])
    #expect(scheme.groups == [[1], [2]] && scheme.names == ["liver", "spleen"] && scheme.excluded == [3, 9])
    #expect(try scheme.classes(of: labels([0, 1, 2, 3, 9]), file: "m").voxels == [0, 1, 2, 0, 0])
    let saved = try JSONEncoder().encode(scheme)
    #expect(try JSONDecoder().decode(LabelScheme.self, from: saved) == scheme)
    let without = try JSONEncoder().encode(LabelScheme(values: [1, 2]))
    #expect(!String(decoding: without, as: UTF8.self).contains("excluded"))
  }

  @Test(
    arguments: [
      ([0], "--exclude-labels 0: 0 is background already; name foreground values only."),
      ([3, 9], "--exclude-labels 3,9: label 9 does not occur; the data's labels are 1, 2 and 3."),
      ([2], "--exclude-labels 2: label 2 is also in --merge-labels 1,2; name it in one of them."),
      ([3, 3], "--exclude-labels 3,3: label 3 is named twice; name each value once."),
    ] as [([LabelValue], String)])
  func impossibleExclusionsAreRefused(_ exclude: [LabelValue], _ message: String) {
    #expect(sentence { try LabelScheme(values: [0, 1, 2, 3], merge: [[1, 2]], exclude: exclude) } == message)
  }

  @Test func somethingMustBeLeft() {
    #expect(
      sentence { try LabelScheme(values: [0, 1, 2], exclude: [2, 1]) }
        == "--exclude-labels 2,1 leaves no label to learn; the data's labels are 1 and 2.")
  }

  @Test func scoringMayMergeAndLeaveOut() throws {
    let scheme = LabelScheme(groups: [[1, 2], [4], [5], [6]], names: ["prostate", "bladder", "label 5", "label 6"])
    #expect(try scheme.regrouped() == scheme)
    let merged = try scheme.regrouped(merge: [[2, 4]], exclude: [5, 8])
    #expect(merged.groups == [[1, 2, 4], [6]] && merged.names == ["prostate + bladder", "label 6"])
    #expect(merged.excluded == [5, 8])
    #expect(try merged.classes(of: labels([1, 2, 4, 5, 6, 8]), file: "m").voxels == [1, 1, 1, 0, 2, 0])
    #expect(try scheme.regrouped(merge: [[5, 6]]).names == ["prostate", "bladder", "label 5+6"])
    #expect(try scheme.regrouped(exclude: [1, 2]).groups == [[4], [5], [6]])
    #expect(
      sentence { try scheme.regrouped(exclude: [2]) }
        == "--exclude-labels 2: labels 1 and 2 are one class of the model; name all of them or none.")
    #expect(
      sentence { try scheme.regrouped(merge: [[4, 7]]) }
        == "--merge-labels 4,7: label 7 does not occur; the data's labels are 1, 2, 4, 5 and 6.")
  }

  @Test func noForegroundIsRefused() {
    #expect(
      sentence { try LabelScheme(values: [0]) }
        == "The masks hold no label but 0 (background), so there is nothing to learn; check the masks.")
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
          == "The label scheme must have at most 255 classes, a name and at least one value from 1 to 65535 for each, and "
          + "no value twice.")
    }
  }

  /// FreeSurfer's numbers, which take 16 bits.
  @Test func labelsOf16Bits() throws {
    let scheme = try LabelScheme(
      values: [0, 17, 1035, 2035], labelNames: [17: "hippocampus", 1035: "left insula", 2035: "right insula"])
    #expect(scheme.groups == [[17], [1035], [2035]] && scheme.largestFileValue == 2035)
    let classes = try scheme.classes(of: labels([0, 17, 1035, 2035]), file: "m")
    #expect(classes.voxels == [0, 1, 2, 3] && scheme.fileValues(of: classes).voxels == [0, 17, 1035, 2035])
    #expect(try JSONDecoder().decode(LabelScheme.self, from: JSONEncoder().encode(scheme)) == scheme)
  }

  @Test func aNetworkHas255Classes() throws {
    #expect(try LabelScheme(values: Set(1...255)).classCount == 256)
    #expect(
      sentence { try LabelScheme(values: Set(1000...1255)) }
        == "The masks hold 256 labels above 0, expected at most 255 classes; merge labels into classes (--merge-labels) or "
        + "leave some out (--exclude-labels).")
  }

  /// The limit counts classes, not values in masks.
  @Test func classesAreCountedAfterMerging() throws {
    let scheme = try LabelScheme(values: Set(0...300), merge: [Array(1...200), Array(201...290)], exclude: [299, 300])
    #expect(scheme.classCount == 11 && scheme.groups[1].first == 201)
    #expect(try scheme.classes(of: labels([0, 150, 290, 298, 300]), file: "m").voxels == [0, 1, 2, 10, 0])
    #expect(
      sentence { try LabelScheme(values: Set(0...300), merge: [[1, 2]], exclude: [300]) }
        == "The masks hold 300 labels above 0, of which 298 classes are left, expected at most 255 classes; merge labels "
        + "into classes (--merge-labels) or leave some out (--exclude-labels).")
  }
}
