#include "Association.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>

using cdicom::Association;
using cdicom::Ending;
using cdicom::Watch;

namespace {

/// Seconds for the request of an association.
constexpr int32_t negotiating = 10;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses addresses(const char *host, uint16_t port) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  const int fault = getaddrinfo(host, std::to_string(port).c_str(), &wanted, &found);
  if (fault != 0) throw std::runtime_error(gai_strerror(fault));
  return Addresses(found, freeaddrinfo);
}

void close_on_exec(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

int listening_socket(const addrinfo &address) {
  const int made = socket(address.ai_family, SOCK_STREAM, 0);
  if (made < 0) throw std::runtime_error(std::strerror(errno));
  close_on_exec(made);
  const int is_set = 1;
  setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &is_set, sizeof is_set);
  if (bind(made, address.ai_addr, address.ai_addrlen) == 0 && listen(made, 64) == 0) return made;
  const std::string reason = std::strerror(errno);
  close(made);
  throw std::runtime_error(reason);
}

/// The numbers of a peer's address; 0 for no address.
uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr *>(&address), &size) != 0) return 0;
  char port[8] = "";
  getnameinfo(
      reinterpret_cast<sockaddr *>(&address), size, nullptr, 0, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  return uint16_t(std::strtol(port, nullptr, 10));
}

bool is_in(const std::vector<const char *> &names, const char *name) {
  return std::any_of(names.begin(), names.end(), [&](const char *one) { return std::strcmp(one, name) == 0; });
}

/// Takes a proposal's first syntax that the reader reads: the sender's own choice comes first.
int choice(const char *sop_class, const std::vector<const char *> &syntaxes) {
  const bool is_image =
      std::find(cdicom::image_classes.begin(), cdicom::image_classes.end(), sop_class) != cdicom::image_classes.end();
  if (!is_image && std::strcmp(sop_class, UID_VerificationSOPClass) != 0) return -1;
  const auto found = std::find_if(syntaxes.begin(), syntaxes.end(), [&](const char *syntax) {
    return is_in(cdicom::uncompressed_syntaxes, syntax) || (is_image && is_in(cdicom::compressed_syntaxes, syntax));
  });
  return found == syntaxes.end() ? -2 : int(found - syntaxes.begin());
}

/// Rejects an association, and throws the reason.
[[noreturn]] void reject(
    Association &association, T_ASC_RejectParametersReason reason, CDICOMOutcome outcome, const char *words) {
  if (reason == ASC_REASON_SP_PRES_TEMPORARYCONGESTION)
    association.reject(
        {ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED, reason});
  else
    association.reject({ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, reason});
  throw Ending(outcome, words);
}

void require_welcome(Association &association, const Association::Titles &titles, const CDICOMReceiver &receiver) {
  if (titles.called != receiver.title)
    reject(association, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED, CDICOMOutcomeUnknownTitle, "it calls another title");
  const auto callers = receiver.callers, end = callers + receiver.caller_count;
  const bool is_known = receiver.caller_count == 0 || std::any_of(callers, end, [&](const char *caller) {
    return titles.calling == caller;
  });
  if (!is_known)
    reject(
        association, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED, CDICOMOutcomeUnknownOwnTitle, "its title is unknown");
  if (receiver.is_full)
    reject(
        association, ASC_REASON_SP_PRES_TEMPORARYCONGESTION, CDICOMOutcomeRejected, "there are too many associations");
}

/// Receives a file under a number, asks the receiver for it, and answers.
void store(
    Association &association, T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request,
    const CDICOMReceiver &receiver, Watch &watch) {
  static std::atomic<uint64_t> number{0};
  const std::string path = std::string(receiver.folder) + "/" + std::to_string(++number) + ".dcm";
  const bool is_agreed = association.sop_class(agreement) == request.AffectedSOPClassUID;
  const auto judge = [&]() -> Uint16 {
    if (!is_agreed) return STATUS_STORE_Error_DataSetDoesNotMatchSOPClass;
    const auto status =
        receiver.take(receiver.context, path.c_str(), request.AffectedSOPClassUID, request.AffectedSOPInstanceUID);
    if (status == 0) ++watch.transfer.files;
    return Uint16(status);
  };
  try {
    association.receive_file(agreement, request, path, judge);
  } catch (const Ending &ending) {
    unlink(path.c_str());
    // The sender was told that there is no room, and may go on.
    if (ending.outcome != CDICOMOutcomeUnwritable) throw;
  }
  unlink(path.c_str());
}

void serve(Association &association, const CDICOMReceiver &receiver, Watch &watch) {
  T_ASC_PresentationContextID agreement = 0;
  while (auto message = association.receive_or_release(agreement)) {
    if (message->CommandField == DIMSE_C_ECHO_RQ) association.answer_echo(agreement, message->msg.CEchoRQ);
    else if (message->CommandField == DIMSE_C_STORE_RQ)
      store(association, agreement, message->msg.CStoreRQ, receiver, watch);
    else throw Ending(CDICOMOutcomeUnsupported, "it asks for another service");
    watch.goes_on();
  }
}

}  // namespace

int32_t cdicom_listen(const char *host, uint16_t *port) {
  return cdicom::guard(-1, [&] {
    const int made = listening_socket(*addresses(host, *port));
    *port = port_of(made);
    return made;
  });
}

int32_t cdicom_accept(int32_t listener, char *address, ptrdiff_t capacity) {
  pollfd state{listener, POLLIN, 0};
  if (poll(&state, 1, 200) <= 0) return -1;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int connection = accept(listener, reinterpret_cast<sockaddr *>(&peer), &size);
  if (connection < 0) return -1;
  close_on_exec(connection);
  if (getnameinfo(
          reinterpret_cast<sockaddr *>(&peer), size, address, socklen_t(capacity), nullptr, 0, NI_NUMERICHOST) != 0)
    address[0] = 0;
  return connection;
}

CDICOMOutcome cdicom_serve(int32_t connection, const CDICOMReceiver *receiver, CDICOMTransfer *transfer, char *caller) {
  caller[0] = 0;
  return cdicom::outcome(transfer, [&](Watch &watch) {
    Association association(connection, receiver->answering, negotiating, watch);
    const auto titles = association.titles();
    OFStandard::strlcpy(caller, titles.calling.c_str(), CDICOM_TITLE_BYTES);
    require_welcome(association, titles, *receiver);
    association.accept(choice);
    serve(association, *receiver, watch);
  });
}
