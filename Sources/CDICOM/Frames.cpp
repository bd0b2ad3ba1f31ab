#include "Support.h"

#include <algorithm>

namespace {

/// Reads numbers of an element in the first item of a sequence. False, and nothing changed, unless all are there.
template <size_t count>
bool numbers(DcmItem *group, const DcmTagKey &sequence, const DcmTagKey &tag, double (&result)[count]) {
  DcmItem *item = nullptr;
  if (!group || group->findAndGetSequenceItem(sequence, item).bad()) return false;
  double found[count];
  for (size_t place = 0; place < count; ++place)
    if (item->findAndGetFloat64(tag, found[place], place).bad()) return false;
  std::copy(found, found + count, result);
  return true;
}

bool segment(DcmItem *group, int32_t &result) {
  DcmItem *item = nullptr;
  Uint16 number = 0;
  if (!group || group->findAndGetSequenceItem(DCM_SegmentIdentificationSequence, item).bad() ||
      item->findAndGetUint16(DCM_ReferencedSegmentNumber, number).bad())
    return false;
  result = number;
  return true;
}

CDICOMFrame frame(DcmItem *own, DcmItem *shared) {
  CDICOMFrame frame{};
  if (!segment(own, frame.segment)) segment(shared, frame.segment);
  const auto either = [&](const DcmTagKey &sequence, const DcmTagKey &tag, auto &result) {
    return numbers(own, sequence, tag, result) || numbers(shared, sequence, tag, result);
  };
  frame.is_placed = either(DCM_PlanePositionSequence, DCM_ImagePositionPatient, frame.position);
  frame.is_placed &= either(DCM_PlaneOrientationSequence, DCM_ImageOrientationPatient, frame.orientation);
  frame.is_placed &= either(DCM_PixelMeasuresSequence, DCM_PixelSpacing, frame.spacing);
  return frame;
}

}  // namespace

bool cdicom_frames(const CDICOMFile *file, CDICOMFrame *frames, ptrdiff_t count) {
  return cdicom::guard(false, [&] {
    DcmItem *shared = nullptr;
    file->dataset().findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, shared);
    DcmSequenceOfItems *groups = nullptr;
    cdicom::require(file->dataset().findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, groups));
    // One item after the other: DCMTK would step over all earlier ones to reach one.
    DcmObject *group = nullptr;
    for (ptrdiff_t place = 0; place < count; ++place) {
      group = groups->nextInContainer(group);
      cdicom::require(group != nullptr, "it describes fewer frames than it has");
      frames[place] = frame(static_cast<DcmItem *>(group), shared);
    }
    return true;
  });
}

bool cdicom_copy_pixels(const CDICOMFile *file, uint8_t *bytes, ptrdiff_t count) {
  return cdicom::guard(false, [&] {
    DcmElement *element = nullptr;
    cdicom::require(file->dataset().findAndGetElement(DCM_PixelData, element));
    cdicom::require(element->getPartialValue(bytes, 0, Uint32(count), nullptr, EBO_LittleEndian));
    return true;
  });
}
