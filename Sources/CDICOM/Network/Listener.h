// A storage service (SCP): its socket, and the associations of its callers.
#pragma once

#include "Association.h"
#include "ReceivedFile.h"
#include "Request.h"

struct CDICOMListener {
  int socket;
  uint16_t port;

  ~CDICOMListener();
};

namespace cdicom {

/// An association that a caller has requested, and that is accepted.
class AcceptedAssociation : public WatchedAssociation {
 public:
  /// Accepts what can be read of the request. Takes the socket from the caller.
  AcceptedAssociation(Caller &caller, const Request &request, const CDICOMService &service, Watch &watch);
  ~AcceptedAssociation();

  /// Serves to the release. Throws an `Ending` at another end.
  void serve();

 private:
  const CDICOMService &service;
  const std::string caller_title;

  /// Throws an `Ending` at the association's end or at what is not understood.
  void require(const OFCondition &condition) const;
  void hand_over(Caller &caller);
  void agree(const Request &request);
  /// Receives a command; false at the release.
  bool receive(T_ASC_PresentationContextID &agreement, T_DIMSE_Message &message);
  void store(T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request);
  /// Receives the data set of an image. Returns the status for its sender.
  Uint16 take(const T_ASC_PresentationContext &agreed, T_DIMSE_C_StoreRQ &request);
  void receive_into(ReceivedFile &file, T_ASC_PresentationContextID agreement);
};

}  // namespace cdicom
