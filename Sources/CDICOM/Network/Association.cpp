#include "Association.h"

#include <arpa/inet.h>
#include <netdb.h>

namespace cdicom {

namespace {

/// Finds a host's address. DCMTK 3.6.7 would cut off a name of more than some 57 characters.
std::string address(const char *host) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_family = AF_INET;  // DCMTK 3.6.7 reaches no other
  wanted.ai_socktype = SOCK_STREAM;
  const int fault = getaddrinfo(host, nullptr, &wanted, &found);
  if (fault != 0) throw Ending(CDICOMOutcomeUnreachable, gai_strerror(fault));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in *>(found->ai_addr)->sin_addr, text, sizeof text);
  return text;
}

Ending rejection(T_ASC_Parameters *parameters) {
  T_ASC_RejectParameters found{};
  ASC_getRejectParameters(parameters, &found);
  switch (found.reason) {
    case ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED: return {CDICOMOutcomeUnknownTitle, "its title is another"};
    case ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED: return {CDICOMOutcomeUnknownOwnTitle, "our title is unknown"};
    case ASC_REASON_SP_PRES_TEMPORARYCONGESTION: return {CDICOMOutcomeRejected, "it is too busy"};
    case ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED: return {CDICOMOutcomeRejected, "it has too many associations"};
    default: return {CDICOMOutcomeRejected, "it gives no reason"};
  }
}

/// Words for the failure of a connection.
std::string reason(const OFCondition &condition, int seconds) {
  const std::string text = condition.text(), heading = "TCP Initialization Error: ";
  if (text.find("(Timeout)") != std::string::npos) return "no answer in " + std::to_string(seconds) + " s";
  return text.compare(0, heading.size(), heading) == 0 ? text.substr(heading.size()) : text;
}

}  // namespace

WatchedAssociation::WatchedAssociation(Watch &watch, int seconds, std::string before)
    : watch(watch), layer(watch, seconds, std::move(before)) {}

WatchedAssociation::~WatchedAssociation() {
  if (is_open) ASC_abortAssociation(association);
  ASC_destroyAssociation(&association);
  ASC_dropNetwork(&network);
}

void WatchedAssociation::require(const OFCondition &condition) const {
  if (watch.end != CDICOMOutcomeDone) throw Ending(watch.end, "it was given up");
  // Some conditions of an end count as good.
  if (condition == EC_Normal) return;
  if (condition == DIMSE_OUTOFRESOURCES) throw Ending(CDICOMOutcomeUnwritable, condition.text());
  const bool is_aborted = condition == DUL_PEERABORTEDASSOCIATION || condition == DUL_PEERREQUESTEDRELEASE;
  throw Ending(is_aborted ? CDICOMOutcomeAborted : CDICOMOutcomeCut, condition.text());
}

Association::Association(const CDICOMServer &server, Watch &watch, const std::vector<Proposal> &proposals)
    : WatchedAssociation(watch, server.answering) {
  set_up();
  dcmConnectionTimeout.set(server.connecting);
  cdicom::require(ASC_initializeNetwork(NET_REQUESTOR, 0, server.answering, &network));
  cdicom::require(ASC_setTransportLayer(network, &layer, 0));
  T_ASC_Parameters *parameters = nullptr;
  cdicom::require(ASC_createAssociationParameters(&parameters, 1 << 15));
  std::unique_ptr<T_ASC_Parameters, void (*)(T_ASC_Parameters *)> owned(
      parameters, [](T_ASC_Parameters *made) { ASC_destroyAssociationParameters(&made); });
  cdicom::require(ASC_setAPTitles(parameters, server.own_title, server.title, nullptr));
  const std::string place = address(server.host) + ":" + std::to_string(server.port);
  cdicom::require(ASC_setPresentationAddresses(parameters, "localhost", place.c_str()));
  int number = 1;
  for (const Proposal &proposal : proposals) {
    auto syntaxes = proposal.syntaxes;
    cdicom::require(ASC_addPresentationContext(
        parameters, T_ASC_PresentationContextID(number), proposal.sop_class.c_str(), syntaxes.data(),
        int(syntaxes.size()), proposal.role));
    number += 2;
  }
  request(server, owned.release());
}

void Association::request(const CDICOMServer &server, T_ASC_Parameters *parameters) {
  const OFCondition condition = ASC_requestAssociation(network, parameters, &association);
  if (condition == EC_Normal) {
    is_open = true;
    if (ASC_countAcceptedPresentationContexts(parameters) > 0) return;
    throw Ending(CDICOMOutcomeUnsupported, "it accepts none of the kinds of transfer");
  }
  if (condition == DUL_ASSOCIATIONREJECTED) throw rejection(parameters);
  const bool is_of_connection = condition.module() == OFM_dcmnet && condition.code() == DULC_TCPINITERROR;
  if (is_of_connection) throw Ending(CDICOMOutcomeUnreachable, reason(condition, server.connecting));
  require(condition);
}

void Association::release() {
  is_open = false;
  const CDICOMOutcome before = watch.end;
  ASC_releaseAssociation(association);  // All is done, whatever the server answers.
  if (watch.end != CDICOMOutcomeStopped) watch.end = before;
}

T_ASC_PresentationContextID Association::agreement(const char *service) const {
  const auto found = ASC_findAcceptedPresentationContextID(association, service);
  if (found == 0) throw Ending(CDICOMOutcomeUnsupported, dcmFindNameOfUID(service, service));
  return found;
}

T_ASC_PresentationContextID Association::agreement(const std::string &sop_class, DcmDataset &dataset) const {
  const char *syntax = DcmXfer(dataset.getOriginalXfer()).getXferID();
  const auto found = ASC_findAcceptedPresentationContextID(association, sop_class.c_str(), syntax);
  T_ASC_PresentationContext agreed{};
  if (found == 0 || ASC_findAcceptedPresentationContext(association->params, found, &agreed).bad() ||
      !dataset.canWriteXfer(DcmXfer(agreed.acceptedTransferSyntax).getXfer()))
    throw Ending(CDICOMOutcomeUnsupported, dcmFindNameOfUID(sop_class.c_str(), sop_class.c_str()));
  return found;
}

void Association::send(T_ASC_PresentationContextID agreement, T_DIMSE_Message &message, DcmDataset &dataset) {
  require(DIMSE_sendMessageUsingMemoryData(
      association, agreement, &message, nullptr, &dataset, nullptr, nullptr));
}

T_DIMSE_Message Association::receive(T_ASC_PresentationContextID &agreement) {
  T_DIMSE_Message message{};
  watch.expect_message();
  require(DIMSE_receiveCommand(association, DIMSE_BLOCKING, 0, &agreement, &message, nullptr));
  return message;
}

std::unique_ptr<DcmDataset> Association::receive_dataset() {
  T_ASC_PresentationContextID agreement = 0;
  DcmDataset *dataset = nullptr;
  watch.expect_message();
  const OFCondition condition =
      DIMSE_receiveDataSetInMemory(association, DIMSE_BLOCKING, 0, &agreement, &dataset, nullptr, nullptr);
  std::unique_ptr<DcmDataset> owned(dataset);
  require(condition);
  return owned;
}

void Association::receive_file(
    T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, const std::string &path) {
  watch.expect_file();
  require(DIMSE_storeProvider(
      association, agreement, &request, path.c_str(), 1, nullptr, nullptr, nullptr, DIMSE_BLOCKING, 0));
}

Uint16 Association::send_file(
    T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, DcmDataset &dataset) {
  T_DIMSE_C_StoreRSP answer{};
  DcmDataset *detail = nullptr;
  watch.expect_message();
  const OFCondition condition = DIMSE_storeUser(
      association, agreement, &request, nullptr, &dataset, nullptr, nullptr, DIMSE_BLOCKING, 0, &answer, &detail);
  delete detail;
  require(condition);
  return answer.DimseStatus;
}

CDICOMOutcome outcome(CDICOMTransfer *transfer, const std::function<void(Watch &)> &body) noexcept {
  CDICOMOutcome end = CDICOMOutcomeFailed;
  guard(false, [&] {
    transfer->files = transfer->total = transfer->status = 0;
    Watch watch(*transfer);
    try {
      body(watch);
      end = CDICOMOutcomeDone;
    } catch (const Ending &ending) {
      end = ending.outcome;
      transfer->status = ending.status;
      throw;
    }
    return true;
  });
  return end;
}

}  // namespace cdicom
