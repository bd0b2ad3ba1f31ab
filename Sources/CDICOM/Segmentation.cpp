#include "Inherited.h"

#include <dcmtk/dcmfg/fgderimg.h>
#include <dcmtk/dcmfg/fgfracon.h>
#include <dcmtk/dcmfg/fgpixmsr.h>
#include <dcmtk/dcmfg/fgplanor.h>
#include <dcmtk/dcmfg/fgplanpo.h>
#include <dcmtk/dcmiod/cielabutil.h>
#include <dcmtk/dcmiod/iodreferences.h>
#include <dcmtk/dcmseg/segdoc.h>
#include <dcmtk/dcmseg/segment.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

struct CDICOMSegmentation {
  std::unique_ptr<DcmSegmentation> document;
  std::string patient, study, series;
  IODReferences references;
  cdicom::UIDs uids;
  std::vector<std::string> labels;  // written at the end, since DCMTK refuses all but ASCII
  std::vector<Uint8> bits;  // all frames without gaps
  size_t bit_count = 0;
  size_t pixels = 0;  // per frame
};

namespace {

/// Returns the shortest decimal string of exactly this number, or the most digits that fit DICOM's 16 characters.
OFString decimal(double value) {
  char text[64];
  std::string best = "0";
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value + 0.0);
    if (std::string(text).size() > 16) continue;
    best = text;
    if (std::strtod(text, nullptr) == value) break;
  }
  return best.c_str();
}

std::string value(const CDICOMFile *file, const DcmTagKey &tag) {
  OFString text;
  file->dataset().findAndGetOFString(tag, text);
  return text.c_str();
}

CodeSequenceMacro code(const CDICOMCode &code) { return CodeSequenceMacro(code.value, code.scheme, code.meaning); }

/// Adds the grid that all frames share.
void add_grid(DcmSegmentation &document, const CDICOMFile *source, const double *spacing, const double *orientation) {
  FGPixelMeasures measures;
  const std::string thickness = value(source, DCM_SliceThickness);
  const double thicknessMM = std::strtod(thickness.c_str(), nullptr);
  cdicom::require(measures.setPixelSpacing(decimal(spacing[0]) + "\\" + decimal(spacing[1])));
  cdicom::require(measures.setSpacingBetweenSlices(decimal(spacing[2])));
  cdicom::require(measures.setSliceThickness(decimal(thicknessMM > 0 && thicknessMM < 1e6 ? thicknessMM : spacing[2])));
  FGPlaneOrientationPatient plane;
  cdicom::require(plane.setImageOrientationPatient(
      decimal(orientation[0]), decimal(orientation[1]), decimal(orientation[2]), decimal(orientation[3]),
      decimal(orientation[4]), decimal(orientation[5])));
  cdicom::require(document.addForAllFrames(measures));
  cdicom::require(document.addForAllFrames(plane));
}

/// Orders frames by segment, then by place.
void add_dimensions(DcmSegmentation &document, const char *organization) {
  IODMultiframeDimensionModule &dimensions = document.getDimensions();
  cdicom::require(dimensions.addDimensionIndex(
      DCM_ReferencedSegmentNumber, organization, DCM_SegmentIdentificationSequence, "ReferencedSegmentNumber"));
  cdicom::require(dimensions.addDimensionIndex(
      DCM_ImagePositionPatient, organization, DCM_PlanePositionSequence, "ImagePositionPatient"));
}

void describe_series(DcmSegmentation &document, const CDICOMFile *source, const CDICOMUIDs &uids) {
  IODGeneralSeriesModule &series = document.getSeries();
  const long number = std::strtol(value(source, DCM_SeriesNumber).c_str(), nullptr, 10);
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  cdicom::require(series.setSeriesInstanceUID(uids.series));
  cdicom::require(document.getSOPCommon().setSOPInstanceUID(uids.instance));
  cdicom::require(series.setSeriesNumber(std::to_string(number > 0 && number < 1000000 ? number + 1000 : 1000).c_str()));
  cdicom::require(series.setSeriesDescription("Segmentation by DualNorm"));
  cdicom::require(series.setSeriesDate(date));
  cdicom::require(series.setSeriesTime(time));
  document.getSOPCommon().setInstanceCreationDate(date);
  document.getSOPCommon().setInstanceCreationTime(time);
}

/// Appends a frame without a gap, lowest bits first. DCMTK 3.6.7 loses bits where a frame ends inside a byte.
void pack(CDICOMSegmentation &segmentation, const uint8_t *mask, size_t count) {
  segmentation.bits.resize((segmentation.bit_count + count + 7) / 8, 0);
  for (size_t index = 0; index < count; ++index, ++segmentation.bit_count)
    if (mask[index]) segmentation.bits[segmentation.bit_count / 8] |= Uint8(1 << segmentation.bit_count % 8);
}

void put_labels(DcmDataset &dataset, const std::vector<std::string> &labels) {
  for (size_t index = 0; index < labels.size(); ++index) {
    DcmItem *segment = nullptr;
    cdicom::require(dataset.findAndGetSequenceItem(DCM_SegmentSequence, segment, long(index)));
    cdicom::require(segment->putAndInsertString(DCM_SegmentLabel, labels[index].c_str()));
  }
}

/// Writes that segments do not overlap. DCMTK 3.6.7 does not know the element.
void put_overlap(DcmDataset &dataset) {
  cdicom::require(dataset.putAndInsertString(DcmTag(DCM_SegmentsOverlap, EVR_CS), "NO"));
}

void put_pixels(DcmDataset &dataset, std::vector<Uint8> &bits) {
  bits.resize((bits.size() + 1) / 2 * 2, 0);
  auto pixels = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OB));
  cdicom::require(pixels->putUint8Array(bits.data(), static_cast<unsigned long>(bits.size())));
  cdicom::require(dataset.insert(pixels.get(), OFTrue));
  pixels.release();
}

/// Writes that every frame's pixels lie on its source's. highdicom requires it, and DCMTK 3.6.7 cannot write it.
void preserve_locations(DcmDataset &dataset) {
  DcmItem *frame = nullptr, *derivation = nullptr, *source = nullptr;
  for (long index = 0; dataset.findAndGetSequenceItem(DCM_PerFrameFunctionalGroupsSequence, frame, index).good(); ++index) {
    cdicom::require(frame->findAndGetSequenceItem(DCM_DerivationImageSequence, derivation));
    cdicom::require(derivation->findAndGetSequenceItem(DCM_SourceImageSequence, source));
    cdicom::require(source->putAndInsertString(DCM_SpatialLocationsPreserved, "YES"));
  }
}

/// Writes the whole data set but the pixels.
void write(CDICOMSegmentation &segmentation, DcmDataset &dataset) {
  cdicom::require(segmentation.document->writeDataset(dataset));
  preserve_locations(dataset);
  put_labels(dataset, segmentation.labels);
  put_overlap(dataset);
  segmentation.uids.restore(dataset);
}

}  // namespace

CDICOMSegmentation *cdicom_segmentation_create(
    CDICOMFile *source, CDICOMUIDs uids, const char *software_version, bool needs_utf8, const double *spacing,
    const double *orientation) {
  return cdicom::guard<CDICOMSegmentation *>(nullptr, [&] {
    cdicom::set_up();
    auto result = std::make_unique<CDICOMSegmentation>();
    cdicom::keep_valid_elements(*source, result->uids);
    if (needs_utf8) cdicom::require(source->dataset().convertToUTF8());
    Uint16 rows = 0, columns = 0;
    cdicom::require(source->dataset().findAndGetUint16(DCM_Rows, rows));
    cdicom::require(source->dataset().findAndGetUint16(DCM_Columns, columns));
    ContentIdentificationMacro *made = nullptr;
    cdicom::require(
        ContentIdentificationMacro::create("1", "SEGMENTATION", "Segmentation by DualNorm", "DualNorm^Program", made));
    const std::unique_ptr<ContentIdentificationMacro> content(made);
    const IODGeneralEquipmentModule::EquipmentInfo equipment("DualNorm", "dualnorm", "1", software_version);
    DcmSegmentation *document = nullptr;
    cdicom::require(DcmSegmentation::createBinarySegmentation(document, rows, columns, equipment, *content));
    result->document.reset(document);
    result->pixels = size_t(rows) * columns;
    cdicom::require(document->importFromSourceImage(source->dataset()));
    result->patient = value(source, DCM_PatientID);
    result->study = value(source, DCM_StudyInstanceUID);
    result->series = value(source, DCM_SeriesInstanceUID);
    if (needs_utf8) cdicom::require(document->getSOPCommon().setSpecificCharacterSet("ISO_IR 192"));
    describe_series(*document, source, uids);
    add_grid(*document, source, spacing, orientation);
    add_dimensions(*document, uids.dimension_organization);
    return result.release();
  });
}

void cdicom_segmentation_free(CDICOMSegmentation *segmentation) { delete segmentation; }

bool cdicom_segmentation_add_segment(
    CDICOMSegmentation *segmentation, const char *label, CDICOMCode category, CDICOMCode type,
    const CDICOMCode *modifier, const uint8_t *colour) {
  return cdicom::guard(false, [&] {
    DcmSegment *segment = nullptr;
    cdicom::require(
        DcmSegment::create(segment, "segment", code(category), code(type), DcmSegTypes::SAT_AUTOMATIC, "DualNorm"));
    std::unique_ptr<DcmSegment> owned(segment);
    if (modifier) segment->getSegmentedPropertyTypeModifierCode().push_back(new CodeSequenceMacro(code(*modifier)));
    double L = 0, a = 0, b = 0;
    IODCIELabUtil::rgb2DicomLab(L, a, b, colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0);
    cdicom::require(segment->setRecommendedDisplayCIELabValue(
        Uint16(std::lround(L)), Uint16(std::lround(a)), Uint16(std::lround(b))));
    Uint16 number = 0;
    cdicom::require(segmentation->document->addSegment(segment, number));
    owned.release();
    segmentation->labels.push_back(label);
    return true;
  });
}

bool cdicom_segmentation_add_frame(
    CDICOMSegmentation *segmentation, ptrdiff_t segment, ptrdiff_t place, const uint8_t *mask, const double *position,
    const char *source_class, const char *source_instance) {
  return cdicom::guard(false, [&] {
    FGPlanePosPatient plane;
    cdicom::require(
        plane.setImagePositionPatient(decimal(position[0]), decimal(position[1]), decimal(position[2])));
    FGFrameContent content;
    const Uint32 indices[] = {Uint32(segment), Uint32(place)};
    for (unsigned long index = 0; index < 2; ++index)
      cdicom::require(content.setDimensionIndexValues(indices[index], index));
    ImageSOPInstanceReferenceMacro reference;
    cdicom::require(reference.setReferencedSOPClassUID(source_class));
    cdicom::require(reference.setReferencedSOPInstanceUID(segmentation->uids.valid(source_instance)));
    OFVector<ImageSOPInstanceReferenceMacro> sources;
    sources.push_back(reference);
    const std::unique_ptr<FGDerivationImage> derivation(
        DcmSegmentation::createDerivationImageFG(sources, "Segmentation by DualNorm"));
    cdicom::require(derivation != nullptr, "its source cannot be referred to");
    OFVector<FGBase *> groups;
    groups.push_back(&plane);
    groups.push_back(&content);
    groups.push_back(derivation.get());
    cdicom::require(segmentation->document->addFrame(const_cast<Uint8 *>(mask), Uint16(segment), groups));
    pack(*segmentation, mask, segmentation->pixels);
    return true;
  });
}

bool cdicom_segmentation_add_reference(
    CDICOMSegmentation *segmentation, const char *source_class, const char *source_instance) {
  return cdicom::guard(false, [&] {
    auto reference = std::make_unique<IODImageReference>(
        segmentation->patient.c_str(), segmentation->study.c_str(), segmentation->series.c_str(),
        segmentation->uids.valid(source_instance).c_str(), source_class);
    cdicom::require(segmentation->references.add(reference.get()), "its source cannot be referred to");
    reference.release();
    return true;
  });
}

bool cdicom_segmentation_check(CDICOMSegmentation *segmentation) {
  return cdicom::guard(false, [&] {
    DcmDataset dataset;
    write(*segmentation, dataset);
    return true;
  });
}

bool cdicom_segmentation_save(CDICOMSegmentation *segmentation, const char *path) {
  return cdicom::guard(false, [&] {
    DcmSegmentation &document = *segmentation->document;
    document.getCommonInstanceReference().addReferences(segmentation->references, segmentation->study.c_str());
    DcmFileFormat format;
    write(*segmentation, *format.getDataset());
    put_pixels(*format.getDataset(), segmentation->bits);
    cdicom::require(format.saveFile(path, EXS_LittleEndianExplicit));
    // DCMTK misses an error of the disk when it closes the file, so read it back.
    DcmFileFormat written;
    cdicom::require(written.loadFile(path, EXS_Unknown, EGL_noChange, 0xffffffffu));
    return true;
  });
}
