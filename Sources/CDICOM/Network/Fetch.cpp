#include "Association.h"
#include "Kinds.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

using cdicom::Association;
using cdicom::Ending;
using cdicom::Proposal;
using cdicom::Watch;

namespace {

/// What a server says of a series.
struct Found {
  std::string study;
  /// The classes of its files.
  std::set<std::string> classes;
  /// Its number of files; 0 where the server does not say.
  int64_t files = 0;
};

/// An association has 128 agreements at most, and one of them is the service itself.
constexpr size_t most_classes = 12;

std::string value(DcmDataset &dataset, const DcmTagKey &tag) {
  OFString text;
  dataset.findAndGetOFString(tag, text);
  return text.c_str();
}

void put(DcmDataset &dataset, const DcmTagKey &tag, const std::string &text) {
  cdicom::require(dataset.putAndInsertString(tag, text.c_str()));
}

bool is_pending(Uint16 status) { return status == 0xff00 || status == 0xff01; }

/// Asks the server. Calls `body` with each answer, and returns the last status.
template <typename Body>
Uint16 ask(Association &association, DcmDataset &question, Body body) {
  auto agreement = association.agreement(UID_FINDStudyRootQueryRetrieveInformationModel);
  T_DIMSE_Message message{};
  message.CommandField = DIMSE_C_FIND_RQ;
  auto &request = message.msg.CFindRQ;
  request.MessageID = association.next_message();
  request.DataSetType = DIMSE_DATASET_PRESENT;
  std::strcpy(request.AffectedSOPClassUID, UID_FINDStudyRootQueryRetrieveInformationModel);
  association.send(agreement, message, question);
  for (int64_t answers = 0;; ++answers) {
    if (answers > association.most_answers()) throw Ending(CDICOMOutcomeEndless, "it answers a search without end");
    message = association.receive(agreement);
    cdicom::require(message.CommandField == DIMSE_C_FIND_RSP, "it answers a search with another command");
    const auto &answer = message.msg.CFindRSP;
    const bool has_data = answer.DataSetType != DIMSE_DATASET_NULL;
    const auto data = has_data ? association.receive_dataset() : std::make_unique<DcmDataset>();
    if (!is_pending(answer.DimseStatus)) return answer.DimseStatus;
    body(*data);
  }
}

/// Finds the study and, where the server says it, the number of files.
Found find_series(Association &association, const char *study, const char *series) {
  DcmDataset question;
  put(question, DCM_QueryRetrieveLevel, "SERIES");
  put(question, DCM_StudyInstanceUID, study ? study : "");
  put(question, DCM_SeriesInstanceUID, series);
  put(question, DCM_NumberOfSeriesRelatedInstances, "");
  Found found;
  const Uint16 status = ask(association, question, [&](DcmDataset &answer) {
    if (value(answer, DCM_SeriesInstanceUID) != series) return;  // a server that knows no such search
    found.study = study ? study : value(answer, DCM_StudyInstanceUID);
    found.files = std::strtol(value(answer, DCM_NumberOfSeriesRelatedInstances).c_str(), nullptr, 10);
  });
  if (status != 0) throw Ending(CDICOMOutcomeSearchRefused, "it refuses the search", status);
  if (found.study.empty()) throw Ending(CDICOMOutcomeNotFound, "it finds no such series");
  return found;
}

/// Finds the classes of a series' files, or takes all that can be read where the server does not say.
void find_classes(Association &association, const char *series, Found &found, int64_t most_files) {
  DcmDataset question;
  put(question, DCM_QueryRetrieveLevel, "IMAGE");
  put(question, DCM_StudyInstanceUID, found.study);
  put(question, DCM_SeriesInstanceUID, series);
  put(question, DCM_SOPInstanceUID, "");
  put(question, DCM_SOPClassUID, "");
  int64_t files = 0;
  ask(association, question, [&](DcmDataset &answer) {
    if (++files > most_files) throw Ending(CDICOMOutcomeTooLarge, "it has too many files");
    const std::string sop_class = value(answer, DCM_SOPClassUID);
    if (!sop_class.empty() && found.classes.size() < most_classes) found.classes.insert(sop_class);
  });
  if (files > 0) found.files = files;
  if (found.classes.empty()) found.classes = {cdicom::image_classes.begin(), cdicom::image_classes.end()};
}

Found find(const CDICOMServer &server, const char *study, const char *series, Watch &watch) {
  Association association(
      server, watch, {{UID_FINDStudyRootQueryRetrieveInformationModel, cdicom::uncompressed_syntaxes}});
  Found found = find_series(association, study, series);
  find_classes(association, series, found, watch.transfer.most_files);
  association.release();
  return found;
}

/// Proposes each syntax by itself: of several, the server would choose one and transcode files in the others.
std::vector<Proposal> proposals(const Found &found) {
  std::vector<Proposal> result = {{UID_GETStudyRootQueryRetrieveInformationModel, cdicom::uncompressed_syntaxes}};
  for (const std::string &sop_class : found.classes)
    for (const auto *syntaxes : {&cdicom::uncompressed_syntaxes, &cdicom::compressed_syntaxes})
      for (const char *syntax : *syntaxes) result.push_back({sop_class, {syntax}, ASC_SC_ROLE_SCP});
  return result;
}

void request(Association &association, const Found &found, const char *series) {
  DcmDataset wanted;
  put(wanted, DCM_QueryRetrieveLevel, "SERIES");
  put(wanted, DCM_StudyInstanceUID, found.study);
  put(wanted, DCM_SeriesInstanceUID, series);
  T_DIMSE_Message message{};
  message.CommandField = DIMSE_C_GET_RQ;
  auto &request = message.msg.CGetRQ;
  request.MessageID = association.next_message();
  request.DataSetType = DIMSE_DATASET_PRESENT;
  std::strcpy(request.AffectedSOPClassUID, UID_GETStudyRootQueryRetrieveInformationModel);
  association.send(
      association.agreement(UID_GETStudyRootQueryRetrieveInformationModel), message, wanted);
}

/// Writes a file under a number: no name comes from the network.
void save(
    Association &association, T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request,
    const std::string &folder, Watch &watch) {
  CDICOMTransfer &transfer = watch.transfer;
  if (transfer.files >= transfer.most_files) throw Ending(CDICOMOutcomeTooLarge, "it sends too many files");
  char name[32];
  std::snprintf(name, sizeof name, "/%06lld.dcm", static_cast<long long>(transfer.files + 1));
  association.receive_file(agreement, request, folder + name);
  ++transfer.files;
  watch.goes_on();
}

/// Judges the server's last word.
void require_all(const T_DIMSE_C_GetRSP &answer, const CDICOMTransfer &transfer) {
  const bool has_failed = answer.opts & O_GET_NUMBEROFFAILEDSUBOPERATIONS && answer.NumberOfFailedSubOperations > 0;
  const bool is_done = answer.DimseStatus == 0 && !has_failed && transfer.files >= std::max<int64_t>(transfer.total, 1);
  if (is_done) return;
  const bool is_refused = answer.DimseStatus != 0 && transfer.files == 0 && !has_failed;
  throw Ending(
      is_refused ? CDICOMOutcomeRefused : CDICOMOutcomeIncomplete, "it did not send all", answer.DimseStatus);
}

void fetch(const CDICOMServer &server, const char *study, const char *series, const char *folder, Watch &watch) {
  const Found found = find(server, study, series, watch);
  watch.transfer.total = found.files;
  Association association(server, watch, proposals(found));
  request(association, found, series);
  // A server may report after each file.
  for (int64_t reports = 0;; ++reports) {
    if (reports > 2 * association.most_answers()) throw Ending(CDICOMOutcomeEndless, "it reports without end");
    T_ASC_PresentationContextID agreement = 0;
    T_DIMSE_Message message = association.receive(agreement);
    if (message.CommandField == DIMSE_C_STORE_RQ) {
      save(association, agreement, message.msg.CStoreRQ, folder, watch);
      continue;
    }
    cdicom::require(message.CommandField == DIMSE_C_GET_RSP, "it answers with another command");
    const auto &answer = message.msg.CGetRSP;
    if (answer.DataSetType != DIMSE_DATASET_NULL) association.receive_dataset();
    if (is_pending(answer.DimseStatus)) continue;
    require_all(answer, watch.transfer);
    return association.release();
  }
}

}  // namespace

CDICOMOutcome cdicom_fetch(
    const CDICOMServer *server, const char *study, const char *series, const char *folder, CDICOMTransfer *transfer) {
  return cdicom::outcome(transfer, [&](Watch &watch) { fetch(*server, study, series, folder, watch); });
}
