// Elements that a segmentation takes over from a file of its source: patient, study and frame of reference.
#pragma once

#include "Support.h"

#include <map>
#include <string>

namespace cdicom {

// Stands in for UIDs that DCMTK would not write and that have to stay as they are, since others refer to them.
class UIDs {
 public:
  // The UID itself where it is valid, otherwise always the same valid one in its place.
  std::string valid(const std::string &uid);
  // Puts the UIDs of the source back.
  void restore(DcmDataset &dataset) const;

 private:
  std::map<std::string, std::string> originals;
};

// Takes out of a source what is not taken over or is not valid.
void keep_valid_elements(cdicom_file &source, UIDs &uids);

}  // namespace cdicom
