package import MedicalImaging
import Pictures
import Scores

extension LabelScheme {
  /// The classes as segments of a DICOM segmentation, in order and with the colours of slice sheets.
  package var dicomSegments: [DICOMSegment] {
    zip(groups, names).enumerated().map { index, group in
      DICOMSegment(value: group.0[0], name: group.1, color: color(ofClass: index + 1))
    }
  }

  /// The class's colour in slice sheets, in a new shade each time the palette repeats.
  private func color(ofClass label: Int) -> SIMD3<UInt8> {
    let color = SIMD3<Float>(SheetPalette.color(ofClass: label))
    let turns = 0.618 * Float((label - 1) / SheetPalette.count)  // its multiples mod 1 lie far apart and never repeat
    let shade = 1 - 0.6 * (turns - turns.rounded(.down))
    return SIMD3<UInt8>((color * shade).rounded(.toNearestOrAwayFromZero))
  }
}
