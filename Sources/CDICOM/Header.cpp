#include "Support.h"

#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

namespace cdicom {

void set_up() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
  });
}

}  // namespace cdicom

namespace {

DcmTagKey key(uint32_t tag) { return DcmTagKey(Uint16(tag >> 16), Uint16(tag & 0xffff)); }

ptrdiff_t value(
    DcmItem &item, const CDICOMFile &file, const DcmTagKey &key, ptrdiff_t position, char *text, ptrdiff_t capacity) {
  DcmElement *element = nullptr;
  OFString value;
  if (item.findAndGetElement(key, element).bad() || element->getVR() == EVR_SQ || element->getLength() == 0 ||
      element->getOFString(value, static_cast<unsigned long>(position)).bad())
    return -1;
  if (element->isAffectedBySpecificCharacterSet()) {
    OFString utf8, charset;
    DcmSpecificCharacterSet converter;
    if (file.dataset().findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).good() &&
        converter.selectCharacterSet(charset).good() && converter.convertString(value, utf8).good())
      value = utf8;
  }
  const auto isSpace = [](char c) { return c == ' ' || c == '\0'; };
  const char *begin = value.c_str(), *end = begin + value.size();
  while (begin < end && isSpace(*begin)) ++begin;
  while (begin < end && isSpace(end[-1])) --end;
  const auto length = std::min(capacity, ptrdiff_t(end - begin));
  std::memcpy(text, begin, size_t(length));
  return length;
}

}  // namespace

const char *cdicom_error(void) { return cguard::last_error<cdicom::DCMTK>.c_str(); }

CDICOMFile *cdicom_file_open(const char *path) {
  return cdicom::guard<CDICOMFile *>(nullptr, [&] {
    cdicom::set_up();
    auto file = std::make_unique<CDICOMFile>();
    cdicom::require(file->format.loadFile(path, EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_fileOnly));
    return file.release();
  });
}

void cdicom_file_free(CDICOMFile *file) { delete file; }

ptrdiff_t cdicom_value(const CDICOMFile *file, uint32_t tag, ptrdiff_t position, char *text, ptrdiff_t capacity) {
  return cdicom::guard<ptrdiff_t>(-1, [&] {
    const bool is_meta = tag >> 16 == 2;
    return value(
        is_meta ? static_cast<DcmItem &>(file->meta()) : file->dataset(), *file, key(tag), position, text, capacity);
  });
}

ptrdiff_t cdicom_value_within(
    const CDICOMFile *file, const uint32_t *path, ptrdiff_t depth, uint32_t tag, char *text, ptrdiff_t capacity) {
  return cdicom::guard<ptrdiff_t>(-1, [&]() -> ptrdiff_t {
    DcmItem *item = &file->dataset();
    for (ptrdiff_t level = 0; level < depth; ++level)
      if (item->findAndGetSequenceItem(key(path[level]), item).bad()) return -1;
    return value(*item, *file, key(tag), 0, text, capacity);
  });
}

ptrdiff_t cdicom_value_of_item(
    const CDICOMFile *file, uint32_t sequence, ptrdiff_t place, uint32_t tag, char *text, ptrdiff_t capacity) {
  return cdicom::guard<ptrdiff_t>(-1, [&]() -> ptrdiff_t {
    DcmItem *item = nullptr;
    if (file->dataset().findAndGetSequenceItem(key(sequence), item, long(place)).bad()) return -1;
    return value(*item, *file, key(tag), 0, text, capacity);
  });
}

ptrdiff_t cdicom_item_count(const CDICOMFile *file, uint32_t sequence) {
  return cdicom::guard<ptrdiff_t>(0, [&]() -> ptrdiff_t {
    DcmSequenceOfItems *items = nullptr;
    return file->dataset().findAndGetSequence(key(sequence), items).good() ? ptrdiff_t(items->card()) : 0;
  });
}

bool cdicom_has_sequence(const CDICOMFile *file, uint32_t tag) {
  return cdicom::guard(false, [&] {
    DcmItem *item = nullptr;
    return file->dataset().findAndGetSequenceItem(key(tag), item).good();
  });
}
