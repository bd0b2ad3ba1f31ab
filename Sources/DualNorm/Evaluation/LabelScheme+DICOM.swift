import MedicalImaging

extension LabelScheme {
  /// The classes as segments of a DICOM segmentation, in order.
  public var dicomSegments: [DICOMSegment] {
    zip(groups, names).map { DICOMSegment(value: $0[0], name: $1) }
  }
}
