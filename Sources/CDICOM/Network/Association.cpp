#include "Association.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

namespace cdicom {

const std::vector<const char *> uncompressed_syntaxes = {
    UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax,
    UID_BigEndianExplicitTransferSyntax};

const std::vector<std::string> image_classes = {
    UID_CTImageStorage, UID_MRImageStorage, UID_PositronEmissionTomographyImageStorage,
    UID_SecondaryCaptureImageStorage, UID_ComputedRadiographyImageStorage,
    UID_DigitalXRayImageStorageForPresentation, UID_UltrasoundImageStorage, UID_XRayAngiographicImageStorage,
    UID_NuclearMedicineImageStorage, UID_EnhancedCTImageStorage, UID_EnhancedMRImageStorage,
    UID_EnhancedPETImageStorage};

const std::vector<const char *> compressed_syntaxes = {
    UID_RLELosslessTransferSyntax, UID_JPEGLSLosslessTransferSyntax, UID_JPEGLSLossyTransferSyntax,
    UID_JPEGProcess14SV1TransferSyntax, UID_JPEGProcess14TransferSyntax, UID_JPEGProcess1TransferSyntax,
    UID_JPEGProcess2_4TransferSyntax};

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

Association::Association(const CDICOMServer &server, Watch &watch, const std::vector<Proposal> &proposals)
    : watch(watch), layer(watch, server.answering) {
  set_up();
  dcmConnectionTimeout.set(server.connecting);
  try {
    initialize(NET_REQUESTOR, server.answering);
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
  } catch (...) {
    close();
    throw;
  }
}

Association::Association(int socket, int32_t answering, int32_t negotiating, Watch &watch)
    : watch(watch), layer(watch, answering, [&] {
        // DCMTK has read the number, and the next one may give its own.
        dcmExternalSocketHandle.set(DCMNET_INVALID_SOCKET);
        handover().unlock();
        socket = -1;
      }) {
  set_up();
  watch.finish_within(negotiating);
  handover().lock();
  dcmExternalSocketHandle.set(socket);
  OFCondition condition = EC_Normal;
  try {
    cdicom::require(ASC_initializeNetwork(NET_ACCEPTOR, 0, negotiating, &network));
    cdicom::require(ASC_setTransportLayer(network, &layer, 0));
    condition = ASC_receiveAssociation(network, &association, 1 << 15);
  } catch (...) {
    condition = DUL_NETWORKCLOSED;
  }
  if (socket >= 0) {
    dcmExternalSocketHandle.set(DCMNET_INVALID_SOCKET);
    handover().unlock();
    ::close(socket);
  }
  try {
    require(condition);
  } catch (...) {
    close();
    throw;
  }
  watch.finish();
  is_open = true;
}

/// DCMTK takes accepted sockets from a global variable.
std::mutex &Association::handover() {
  static std::mutex mutex;
  return mutex;
}

/// DCMTK sets up tables at the first network.
void Association::initialize(T_ASC_NetworkRole role, int32_t seconds) {
  const std::lock_guard<std::mutex> lock(handover());
  cdicom::require(ASC_initializeNetwork(role, 0, seconds, &network));
  cdicom::require(ASC_setTransportLayer(network, &layer, 0));
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

Association::~Association() { close(); }

void Association::close() {
  if (is_open) ASC_abortAssociation(association);
  ASC_destroyAssociation(&association);
  ASC_dropNetwork(&network);
}

void Association::release() {
  is_open = false;
  const CDICOMOutcome before = watch.end;
  ASC_releaseAssociation(association);  // All is done, whatever the server answers.
  if (watch.end != CDICOMOutcomeStopped) watch.end = before;
}

void Association::require(const OFCondition &condition) const {
  if (watch.end != CDICOMOutcomeDone) throw Ending(watch.end, "it was given up");
  // Some conditions of an end count as good.
  if (condition == EC_Normal) return;
  if (condition == DIMSE_OUTOFRESOURCES) throw Ending(CDICOMOutcomeUnwritable, condition.text());
  const bool is_aborted = condition == DUL_PEERABORTEDASSOCIATION || condition == DUL_PEERREQUESTEDRELEASE;
  throw Ending(is_aborted ? CDICOMOutcomeAborted : CDICOMOutcomeCut, condition.text());
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
    T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, const std::string &path,
    const std::function<Uint16()> &judge) {
  watch.expect_file();
  // At the end of a whole file, DCMTK has closed it, and has not answered yet.
  const auto progress = [](void *data, T_DIMSE_StoreProgress *progress, T_DIMSE_C_StoreRQ *, char *, DcmDataset **,
                           T_DIMSE_C_StoreRSP *answer, DcmDataset **) {
    const auto &judge = *static_cast<const std::function<Uint16()> *>(data);
    if (progress->state == DIMSE_StoreEnd && answer->DimseStatus == STATUS_Success) answer->DimseStatus = judge();
  };
  const auto data = const_cast<std::function<Uint16()> *>(&judge);
  require(DIMSE_storeProvider(
      association, agreement, &request, path.c_str(), 1, nullptr, judge ? +progress : nullptr, data, DIMSE_BLOCKING,
      0));
}

Association::Titles Association::titles() const {
  DIC_AE calling = "", called = "", responding = "";
  cdicom::require(ASC_getAPTitles(
      association->params, calling, sizeof calling, called, sizeof called, responding, sizeof responding));
  const auto trimmed = [](const std::string &text) {
    const size_t first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
  };
  return {trimmed(calling), trimmed(called)};
}

void Association::reject(const T_ASC_RejectParameters &parameters) {
  is_open = false;
  ASC_rejectAssociation(association, &parameters);
}

void Association::accept(
    const std::function<int(const char *sop_class, const std::vector<const char *> &syntaxes)> &choose) {
  T_ASC_Parameters *parameters = association->params;
  const int count = ASC_countPresentationContexts(parameters);
  for (int place = 0; place < count; ++place) {
    T_ASC_PresentationContext proposed{};
    cdicom::require(ASC_getPresentationContext(parameters, place, &proposed));
    const auto &syntaxes = proposed.proposedTransferSyntaxes;
    const int choice =
        choose(proposed.abstractSyntax, {syntaxes, syntaxes + proposed.transferSyntaxCount});
    if (choice >= 0) {
      cdicom::require(ASC_acceptPresentationContext(
          parameters, proposed.presentationContextID, syntaxes[choice], proposed.proposedRole));
    } else {
      cdicom::require(ASC_refusePresentationContext(
          parameters, proposed.presentationContextID,
          choice == -1 ? ASC_P_ABSTRACTSYNTAXNOTSUPPORTED : ASC_P_TRANSFERSYNTAXESNOTSUPPORTED));
    }
  }
  require(ASC_acknowledgeAssociation(association));
}

std::optional<T_DIMSE_Message> Association::receive_or_release(T_ASC_PresentationContextID &agreement) {
  T_DIMSE_Message message{};
  watch.expect_message();
  const OFCondition condition =
      DIMSE_receiveCommand(association, DIMSE_BLOCKING, 0, &agreement, &message, nullptr);
  if (condition == DUL_PEERREQUESTEDRELEASE) {
    is_open = false;
    ASC_acknowledgeRelease(association);
    return std::nullopt;
  }
  require(condition);
  return message;
}

std::string Association::sop_class(T_ASC_PresentationContextID agreement) const {
  T_ASC_PresentationContext found{};
  cdicom::require(ASC_findAcceptedPresentationContext(association->params, agreement, &found));
  return found.abstractSyntax;
}

void Association::answer_echo(T_ASC_PresentationContextID agreement, const T_DIMSE_C_EchoRQ &request) {
  auto copy = request;
  require(DIMSE_sendEchoResponse(association, agreement, &copy, STATUS_Success, nullptr));
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
