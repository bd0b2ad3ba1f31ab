#include "Association.h"

#include <set>
#include <utility>

using cdicom::Association;
using cdicom::Ending;
using cdicom::Proposal;
using cdicom::Watch;

namespace {

/// A file's class and syntax.
using Kind = std::pair<std::string, E_TransferSyntax>;

void open(CDICOMFile &file, const char *path) {
  cdicom::require(file.format.loadFile(path, EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_fileOnly));
}

std::string required_uid(CDICOMFile &file, const DcmTagKey &tag) {
  OFString uid;
  cdicom::require(file.dataset().findAndGetOFString(tag, uid));
  return uid.c_str();
}

std::set<Kind> kinds(const char *const *paths, ptrdiff_t count) {
  std::set<Kind> result;
  for (ptrdiff_t index = 0; index < count; ++index) {
    CDICOMFile file;
    open(file, paths[index]);
    result.insert({required_uid(file, DCM_SOPClassUID), file.dataset().getOriginalXfer()});
  }
  return result;
}

/// Proposes each kind in its own syntax; uncompressed ones also in the one that every server must take.
std::vector<Proposal> proposals(const std::set<Kind> &kinds) {
  std::vector<Proposal> result;
  for (const auto &[sop_class, number] : kinds) {
    const DcmXfer syntax(number);
    result.push_back({sop_class, {syntax.getXferID()}});
    if (!syntax.isEncapsulated()) result.push_back({sop_class, {UID_LittleEndianImplicitTransferSyntax}});
  }
  return result;
}

void send(Association &association, CDICOMFile &file) {
  const std::string sop_class = required_uid(file, DCM_SOPClassUID), instance = required_uid(file, DCM_SOPInstanceUID);
  const auto agreement = association.agreement(sop_class, file.dataset());
  T_DIMSE_C_StoreRQ request{};
  request.MessageID = association.next_message();
  request.Priority = DIMSE_PRIORITY_MEDIUM;
  OFStandard::strlcpy(request.AffectedSOPClassUID, sop_class.c_str(), sizeof request.AffectedSOPClassUID);
  OFStandard::strlcpy(request.AffectedSOPInstanceUID, instance.c_str(), sizeof request.AffectedSOPInstanceUID);
  const Uint16 status = association.send_file(agreement, request, file.dataset());
  // B000 and above are warnings of a file that is stored.
  if (status != 0 && (status & 0xf000) != 0xb000) throw Ending(CDICOMOutcomeRefused, "it refuses a file", status);
}

void store(const CDICOMServer &server, const char *const *paths, ptrdiff_t count, Watch &watch) {
  cdicom::set_up();
  watch.transfer.total = count;
  Association association(server, watch, proposals(kinds(paths, count)));
  for (ptrdiff_t index = 0; index < count; ++index) {
    CDICOMFile file;
    open(file, paths[index]);
    send(association, file);
    ++watch.transfer.files;
    watch.goes_on();
  }
  association.release();
}

}  // namespace

CDICOMOutcome cdicom_store(
    const CDICOMServer *server, const char *const *paths, ptrdiff_t count, CDICOMTransfer *transfer) {
  return cdicom::outcome(transfer, [&](Watch &watch) { store(*server, paths, count, watch); });
}
