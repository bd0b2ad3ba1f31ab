// Elements that a segmentation inherits from its source: patient, study and frame of reference.
#pragma once

#include "Support.h"

#include <map>
#include <string>

namespace cdicom {

/// Replacements of UIDs that DCMTK would not write. The UIDs must stay, since other files refer to them.
class UIDs {
 public:
  /// Returns the UID itself where it is valid, else the same replacement every time.
  std::string valid(const std::string &uid);
  /// Puts the source's UIDs back.
  void restore(DcmDataset &dataset) const;

 private:
  std::map<std::string, std::string> originals;
};

/// Removes the elements of a source that are invalid or not inherited.
void keep_valid_elements(CDICOMFile &source, UIDs &uids);

}  // namespace cdicom
