// Shared by the C functions: the guard, and the set-up of DCMTK.
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
#include "CGuard.h"

struct CDICOMFile {
  DcmFileFormat format;
  // DCMTK's reading functions lack `const`.
  DcmDataset &dataset() const { return *const_cast<DcmFileFormat &>(format).getDataset(); }
  DcmMetaInfo &meta() const { return *const_cast<DcmFileFormat &>(format).getMetaInfo(); }
};

namespace cdicom {

struct DCMTK {
  using Scope = cguard::NoScope;

  static std::string message(const std::exception &error) { return error.what(); }
};

/// Runs `body`. A failure becomes `failure` and the message of cdicom_error.
template <typename Result, typename Body>
Result guard(Result failure, Body &&body) noexcept {
  return cguard::run<DCMTK>(failure, body);
}

/// Throws where DCMTK reports a failure.
inline void require(const OFCondition &condition) {
  if (condition.bad()) throw std::runtime_error(condition.text());
}

/// Throws `reason` unless `condition` holds.
inline void require(bool condition, const char *reason) {
  if (!condition) throw std::runtime_error(reason);
}

/// Silences DCMTK and registers its decoders, once in a process. Comes before any other use of DCMTK.
void set_up();

}  // namespace cdicom
