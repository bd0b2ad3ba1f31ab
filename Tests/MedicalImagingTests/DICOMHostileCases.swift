import Foundation
import TestSupport

/// A file made to exhaust the stack, the time or the memory, and its expected outcome.
struct HostileDICOM: Sendable, CustomStringConvertible {
  let name: String
  /// The end of the error sentence; nil for a file that reads as 1 and 2.
  let sentence: String?
  /// The sentence's end alone, if the rest depends on chance.
  var sentenceEnd: String?
  let make: @Sendable () -> Data

  init(_ name: String, _ sentence: String?, _ make: @Sendable @escaping () -> Data) {
    (self.name, self.sentence, self.make) = (name, sentence, make)
  }

  var description: String { name }

  static let all = nests + hidden + disorder + counts + damage

  private static let again = "; copy it again from its source."
  private static let deep = "its sequences are nested more than 40 deep" + again
  private static let many =
    "it holds more than 500000 elements, items and fragments, where a slice has some hundreds; convert it to NIfTI, for "
    + "example by dcm2niix."

  private static func unordered(_ tag: String) -> String {
    "its elements are out of order, such as (\(tag)), where DICOM demands that tags ascend" + again
  }

  private static let nests =
    DICOMBuilder.Encoding.allCases.flatMap { encoding in
      let sentence =
        encoding == .deflated
        ? "all of it is compressed (deflated); decompress it, for example by dcmconv +te, or convert it to NIfTI."
        : deep
      let builder = DICOMBuilder(encoding: encoding)
      return [
        HostileDICOM("\(encoding), before pixels", sentence) { builder.file([0x0008_1140: builder.nest(20_000)]) },
        HostileDICOM("\(encoding), behind pixels", sentence) { builder.file([0x7fe1_1010: builder.nest(20_000)]) },
        HostileDICOM("\(encoding), with lengths", sentence) { builder.file([0x7fe1_1010: builder.closedNest(20_000)]) },
        HostileDICOM("\(encoding), private", sentence) {
          builder.file([0x0009_1010: builder.nest(20_000, 0x0009_1010)])
        },
      ]
    } + [
      HostileDICOM("within an unknown kind", deep) {
        let builder = DICOMBuilder()
        let implicit = DICOMBuilder(encoding: .implicit)
        let value = implicit.item(length: DICOMBuilder.open) + implicit.nest(20_000)
        return builder.file([0x7fe1_1010: builder.element(0x7fe1_1010, "UN", value, length: DICOMBuilder.open)])
      },
      HostileDICOM(
        "within the meta header", "a sequence lies in its meta header, which holds none, as element (0002,0102)" + again
      ) {
        let builder = DICOMBuilder()
        return builder.file(meta: builder.element(0x0002_0102, "SQ", builder.item(builder.closedNest(20_000))))
      },
    ]

  /// Nested sequences that another parsing of the preceding bytes would hide.
  private static let hidden = [
    HostileDICOM(
      "behind a sequence that ends early", "a delimiter ends a sequence 800000 bytes before its length does" + again
    ) {
      let builder = DICOMBuilder(encoding: .implicit)
      let nest = builder.nest(50_000)
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", builder.sequenceEnd + nest)])
    },
    HostileDICOM(
      "behind an item that ends early",
      "a delimiter ends an item of a sequence 800000 bytes before its length does" + again
    ) {
      let builder = DICOMBuilder()
      let item = builder.item(builder.itemEnd + DICOMBuilder(encoding: .implicit).nest(50_000))
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", item)])
    },
    HostileDICOM(
      "behind a value that claims more than its item",
      "element (0008,1150) claims 60000 bytes, where 0 are left in its item or sequence" + again
    ) {
      let builder = DICOMBuilder(encoding: .implicit)
      let item = builder.item(builder.element(0x0008_1150, "UI", length: 60_000), length: DICOMBuilder.open)
      return builder.file([0x0009_1010: builder.element(0x0009_1010, "UN", item), 0x0009_1011: builder.nest(20_000)])
    },
    HostileDICOM("behind half a sequence", "4 bytes, too few for a sequence, are in element (0008,1140)" + again) {
      let builder = DICOMBuilder(encoding: .implicit)
      return builder.file([
        0x0008_1140: builder.element(0x0008_1140, "SQ", builder.tag(0xfffe_e000)), 0x0008_1141: builder.nest(20_000),
      ])
    },
    HostileDICOM("within implicit fragments", "it ends within an element of open length" + again) {
      let builder = DICOMBuilder(encoding: .implicit)
      return builder.file([
        0x7fe0_0010: builder.compressed([builder.item(builder.nest(20_000), length: DICOMBuilder.open)])
      ])
    },
  ]

  private static func elements(_ tags: some Sequence<Int>) -> [UInt8] {
    let builder = DICOMBuilder()
    return Array(tags.map { builder.element(0x0012_0000 + UInt32($0), "LO") }.joined())
  }

  /// The tag of a group that is not private.
  private static func even(_ index: Int) -> Int { index & 0xffff | (index >> 16) << 17 }

  private static func shuffled(_ count: Int, seed: UInt64) -> [Int] {
    var (tags, mutator) = (Array(0..<count), Mutator(seed: seed))
    for index in tags.indices.dropFirst() { tags.swapAt(index, mutator.next(below: index + 1)) }
    return tags
  }

  private static let disorder =
    [
      HostileDICOM("50,000 descending", unordered("0012,b6f5")) {
        DICOMBuilder().file([0x0012_0000: elements((0..<50_000).reversed())])
      },
      HostileDICOM("500,000 descending, behind pixels", unordered("0019,94d5")) {
        DICOMBuilder().file([0x7fe1_1010: elements((0..<500_000).reversed())])
      },
      HostileDICOM("halves in the wrong order", unordered("0012,00c8")) {
        DICOMBuilder().file([0x0012_0000: elements(25_000..<50_000) + elements(0..<25_000)])
      },
      HostileDICOM("within an item", unordered("0012,b6f5")) {
        let builder = DICOMBuilder()
        let item = builder.item(elements((0..<50_000).reversed()))
        return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", item)])
      },
      HostileDICOM("a handful out of order", nil) {
        DICOMBuilder().file([0x0012_0000: elements([5, 3, 4, 1, 2, 2, 9, 8]), 0x0018_0001: elements([700, 600])])
      },
      HostileDICOM("2,000 descending", nil) { DICOMBuilder().file([0x0012_0000: elements((0..<2_000).reversed())]) },
    ]
    + (1...3).map { seed in
      var hostile = HostileDICOM("50,000 in random order, seed \(seed)", nil) {
        DICOMBuilder().file([0x0012_0000: elements(shuffled(50_000, seed: UInt64(seed)))])
      }
      hostile.sentenceEnd = ", where DICOM demands that tags ascend" + again
      return hostile
    }

  private static let counts = [
    HostileDICOM("600,000 elements", many) {
      DICOMBuilder().file([0x7fe1_1010: elements((0..<600_000).map { even($0) + 0x7fd0_0000 })])
    },
    HostileDICOM("400,000 elements", nil) {
      DICOMBuilder().file([0x0030_0000: elements((0..<400_000).map { even($0) + 0x001e_0000 })])
    },
    HostileDICOM("600,000 items", many) {
      let builder = DICOMBuilder()
      let items = Array(repeatElement(builder.item(), count: 600_000).joined())
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", items)])
    },
    HostileDICOM("600,000 fragments", many) {
      let builder = DICOMBuilder(encoding: .rle)
      return builder.file([0x7fe0_0010: builder.compressed(Array(repeating: builder.item([0, 0]), count: 600_000))])
    },
    HostileDICOM("300,000 times the same", nil) {
      DICOMBuilder().file([0x0012_0000: elements(repeatElement(7, count: 300_000))])
    },
    HostileDICOM(
      "private creators",
      "it names 3120 private creators up to (002b,1042), where devices name some dozens" + again
    ) {
      let builder = DICOMBuilder()
      var bytes: [UInt8] = []
      for group in stride(from: UInt32(0x0013), to: 0x0213, by: 2) {
        for element in UInt32(0x10)...0xff { bytes += builder.element(group << 16 | element, "LO", [65, 66]) }
        for element in UInt32(0x1000)...0x10ff { bytes += builder.element(group << 16 | element, "LO") }
      }
      return builder.file([0x0013_0010: bytes])
    },
  ]

  private static let damage = [
    HostileDICOM("a value beyond the end", "it ends within element (7fe1,1010)" + again) {
      let builder = DICOMBuilder()
      return builder.file([0x7fe1_1010: builder.element(0x7fe1_1010, "OB", [1, 2], length: 4_000_000_000)])
    },
    HostileDICOM(
      "an item without its end", "a delimiter is missing behind an item of a sequence of open length" + again
    ) {
      let builder = DICOMBuilder()
      let item = builder.item(builder.element(0x0008_1150, "UI"), length: DICOMBuilder.open)
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", item)])
    },
    HostileDICOM(
      "an item with too few bytes", "3 bytes are left over in an item of a sequence, too few for an element" + again
    ) {
      let builder = DICOMBuilder()
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", builder.item([1, 2, 3]))])
    },
    HostileDICOM(
      "an item larger than its sequence", "an item claims 80 bytes, where 0 are left in its sequence" + again
    ) {
      let builder = DICOMBuilder()
      return builder.file([0x0008_1140: builder.element(0x0008_1140, "SQ", builder.item(length: 80))])
    },
    HostileDICOM("a huge meta header", "its meta header is not as long as it says" + again) {
      DICOMBuilder().file(groupLength: 0xffff_fff0)
    },
    HostileDICOM(
      "fragments without their end", "instead of a fragment of compressed pixels it holds element (7fe1,1010)" + again
    ) {
      let builder = DICOMBuilder(encoding: .rle)
      return builder.file([
        0x7fe0_0010: Array(builder.pixels.dropLast(8)), 0x7fe1_1010: builder.element(0x7fe1_1010, "LO"),
      ])
    },
    HostileDICOM("an odd length", nil) {
      let builder = DICOMBuilder()
      return builder.file([0x0010_4000: builder.element(0x0010_4000, "LT", [65, 66, 67])])
    },
    HostileDICOM("zeros behind compressed pixels", nil) {
      let builder = DICOMBuilder(encoding: .rle)
      return builder.file([0x7fe1_1010: [UInt8](repeating: 0, count: 504)])
    },
    HostileDICOM("the syntax twice", nil) {
      let builder = DICOMBuilder()
      return builder.file(meta: builder.element(0x0002_0010, "UI", Array("1.2.840.10008.1.2.1.99".utf8)))
    },
  ]
}
