#include "Listener.h"

#include "Kinds.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace cdicom {

namespace {

constexpr Uint16 not_understood = 0xc000, out_of_resources = 0xa700, class_not_supported = 0x0122;

bool is_taken(const std::string &sop_class) {
  return sop_class == UID_VerificationSOPClass ||
         std::find(image_classes.begin(), image_classes.end(), sop_class) != image_classes.end();
}

/// Finds the first syntax that is read here. Empty without one.
std::string syntax(const ProposedContext &context) {
  for (const std::string &proposed : context.syntaxes)
    for (const auto *known : {&uncompressed_syntaxes, &compressed_syntaxes})
      if (std::find(known->begin(), known->end(), proposed) != known->end()) return proposed;
  return "";
}

bool is_uid(const char *text) {
  const size_t length = std::strlen(text);
  return length > 0 && length <= 64 && std::strspn(text, "0123456789.") == length;
}

}  // namespace

AcceptedAssociation::AcceptedAssociation(
    Caller &caller, const Request &request, const CDICOMService &service, Watch &watch)
    : WatchedAssociation(watch, service.answering, request.pdu()), service(service), caller_title(request.calling) {
  hand_over(caller);
  is_open = true;
  agree(request);
  require(ASC_acknowledgeAssociation(association));
}

AcceptedAssociation::~AcceptedAssociation() {
  // An abort for another reason must not wait for the caller.
  if (watch.end == CDICOMOutcomeDone) watch.end = CDICOMOutcomeFailed;
}

void AcceptedAssociation::require(const OFCondition &condition) const {
  const bool is_end = condition == DUL_PEERABORTEDASSOCIATION || condition == DUL_PEERREQUESTEDRELEASE;
  if (watch.end == CDICOMOutcomeDone && !is_end && condition != EC_Normal)
    throw Ending(CDICOMOutcomeFailed, condition.text());
  WatchedAssociation::require(condition);
}

/// Gives the socket to DCMTK, which takes it from a global variable.
///
/// It then reads the request from memory, so nobody waits long.
void AcceptedAssociation::hand_over(Caller &caller) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  struct Handle {
    explicit Handle(int socket) {
      dcmDisableGethostbyaddr.set(OFTrue);
      dcmExternalSocketHandle.set(socket);
    }
    ~Handle() { dcmExternalSocketHandle.set(-1); }
  } handle(caller.number());
  cdicom::require(ASC_initializeNetwork(NET_ACCEPTOR, 0, service.answering, &network));
  cdicom::require(ASC_setTransportLayer(network, &layer, 0));
  const OFCondition condition = ASC_receiveAssociation(network, &association, 1 << 15);
  // The connection closes the socket from its making on.
  if (layer.has_connected) caller.give_away();
  require(condition);
}

void AcceptedAssociation::agree(const Request &request) {
  for (const ProposedContext &context : request.contexts) {
    const std::string chosen = syntax(context);
    if (is_taken(context.sop_class) && !chosen.empty()) {
      cdicom::require(ASC_acceptPresentationContext(association->params, context.number, chosen.c_str()));
      continue;
    }
    cdicom::require(ASC_refusePresentationContext(
        association->params, context.number,
        chosen.empty() ? ASC_P_TRANSFERSYNTAXESNOTSUPPORTED : ASC_P_ABSTRACTSYNTAXNOTSUPPORTED));
  }
}

bool AcceptedAssociation::receive(T_ASC_PresentationContextID &agreement, T_DIMSE_Message &message) {
  watch.expect_message();
  const OFCondition condition =
      DIMSE_receiveCommand(association, DIMSE_BLOCKING, 0, &agreement, &message, nullptr);
  if (watch.end == CDICOMOutcomeDone && condition == DUL_PEERREQUESTEDRELEASE) {
    is_open = false;
    ASC_acknowledgeRelease(association);
    return false;
  }
  require(condition);
  return true;
}

void AcceptedAssociation::serve() {
  T_ASC_PresentationContextID agreement = 0;
  T_DIMSE_Message message{};
  while (receive(agreement, message)) {
    switch (message.CommandField) {
      case DIMSE_C_ECHO_RQ:
        require(DIMSE_sendEchoResponse(association, agreement, &message.msg.CEchoRQ, STATUS_Success, nullptr));
        break;
      case DIMSE_C_STORE_RQ: store(agreement, message.msg.CStoreRQ); break;
      default: throw Ending(CDICOMOutcomeUnsupported, "it sends another command");
    }
    message = {};
  }
}

void AcceptedAssociation::store(T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request) {
  T_ASC_PresentationContext agreed{};
  cdicom::require(ASC_findAcceptedPresentationContext(association->params, agreement, &agreed));
  T_DIMSE_C_StoreRSP answer{};
  answer.DimseStatus = request.DataSetType == DIMSE_DATASET_NULL ? not_understood : take(agreed, request);
  // After a stop, bytes are still sent, but not waited for. So what is stored is acknowledged.
  watch.goes_on();
  require(DIMSE_sendStoreResponse(association, agreement, &request, &answer, nullptr));
}

Uint16 AcceptedAssociation::take(const T_ASC_PresentationContext &agreed, T_DIMSE_C_StoreRQ &request) {
  const char *sop_class = request.AffectedSOPClassUID, *instance = request.AffectedSOPInstanceUID;
  const bool is_agreed = std::strcmp(sop_class, agreed.abstractSyntax) == 0;
  const bool is_image = is_agreed && std::strcmp(sop_class, UID_VerificationSOPClass) != 0;
  if (!is_image || !is_uid(instance)) {
    ReceivedFile nothing(service.most_image_bytes);
    receive_into(nothing, agreed.presentationContextID);
    return is_image ? not_understood : class_not_supported;
  }
  ReceivedFile file(service.most_image_bytes, service.folder);
  file.write_header(sop_class, instance, agreed.acceptedTransferSyntax, caller_title);
  receive_into(file, agreed.presentationContextID);
  if (file.fault != 0) {
    service.unwritable(service.context, std::strerror(file.fault));
    return out_of_resources;
  }
  if (file.bytes == 0) return not_understood;
  const CDICOMReceived image{file.path.c_str(), sop_class, instance};
  return service.receive(service.context, &image);
}

void AcceptedAssociation::receive_into(ReceivedFile &file, T_ASC_PresentationContextID agreement) {
  watch.expect_file();
  T_ASC_PresentationContextID found = 0;
  require(DIMSE_receiveDataSetInFile(association, DIMSE_BLOCKING, 0, &found, &file.stream(), nullptr, nullptr));
  file.close();
  if (file.is_too_large) throw Ending(CDICOMOutcomeTooLarge, "an image is too large");
  cdicom::require(found == agreement, "a command and its data are of two presentation contexts");
}

namespace {

/// Reads and judges the request, and serves the association.
void serve(Caller &caller, const CDICOMService &service, Watch &watch, bool &heard) {
  set_up();
  const std::string pdu = caller.read_request(heard);
  const Request request(pdu);
  switch (service.admit(service.context, request.called.c_str(), request.calling.c_str())) {
    case CDICOMAdmissionGranted: break;
    case CDICOMAdmissionOtherTitle:
      caller.reject(1, 1, 7);
      throw Ending(CDICOMOutcomeUnknownTitle, "it calls another title");
    case CDICOMAdmissionUnknownCaller:
      caller.reject(1, 1, 3);
      throw Ending(CDICOMOutcomeUnknownOwnTitle, "its title is unknown");
    case CDICOMAdmissionBusy:
      caller.reject(2, 3, 1);
      throw Ending(CDICOMOutcomeRejected, "there are too many associations");
  }
  AcceptedAssociation(caller, request, service, watch).serve();
}

/// The service as the watcher of a transfer.
CDICOMTransfer transfer(CDICOMService &service) {
  CDICOMTransfer result{};
  // The sink bounds an image to the byte; this bounds the parts around its bytes too.
  result.most_file_bytes = 2 * service.most_image_bytes + (1 << 20);
  result.most_bytes = INT64_MAX;
  result.context = &service;
  result.goes_on = [](void *context, int64_t, int64_t) {
    const auto &service = *static_cast<const CDICOMService *>(context);
    return service.goes_on(service.context);
  };
  return result;
}

}  // namespace

}  // namespace cdicom

CDICOMOutcome cdicom_serve(int32_t socket, const CDICOMService *service, bool *heard) {
  CDICOMService own = *service;
  cdicom::Caller caller(socket, own);
  CDICOMTransfer transfer = cdicom::transfer(own);
  return cdicom::outcome(&transfer, [&](cdicom::Watch &watch) {
    try {
      cdicom::serve(caller, own, watch, *heard);
    } catch (const cdicom::Ending &ending) {
      if (ending.outcome == CDICOMOutcomeFailed && caller.number() >= 0) caller.abort();
      throw;
    }
  });
}
