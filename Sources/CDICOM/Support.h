// What the C functions share: error capture, and a DCMTK that is silent and knows its decoders.
#pragma once

#if !__has_include(<dcmtk/dcmdata/dctk.h>)
#error "DCMTK's headers were not found under .deps/dcmtk/include; run `make deps` in the package's folder first."
#endif

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "CDICOM.h"

struct cdicom_file {
  DcmFileFormat format;
  // Its functions read and do not change it, and are not marked so.
  DcmDataset &dataset() const { return *const_cast<DcmFileFormat &>(format).getDataset(); }
  DcmMetaInfo &meta() const { return *const_cast<DcmFileFormat &>(format).getMetaInfo(); }
};

namespace cdicom {

inline thread_local std::string last_error;

// Runs `body`; a failure becomes `failure` and the thread's message.
template <typename Result, typename Body>
Result guard(Result failure, Body &&body) {
  try {
    return body();
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an unknown C++ exception";
  }
  return failure;
}

inline void require(const OFCondition &condition) {
  if (condition.bad()) throw std::runtime_error(condition.text());
}

inline void require(bool condition, const char *reason) {
  if (!condition) throw std::runtime_error(reason);
}

// Once in a process, before anything else is asked of DCMTK.
void set_up();

}  // namespace cdicom
