// Associations: connections for commands of the kinds that both sides have agreed on.
#pragma once

#include "Connection.h"

#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cdicom {

/// A service or a class of files, and transfer syntaxes of which the server chooses one.
struct Proposal {
  std::string sop_class;
  std::vector<const char *> syntaxes;
  T_ASC_SC_ROLE role = ASC_SC_ROLE_DEFAULT;
};

/// An association under a watch, whoever requested it.
class WatchedAssociation {
 public:
  WatchedAssociation(const WatchedAssociation &) = delete;

 protected:
  Watch &watch;
  WatchedLayer layer;
  T_ASC_Network *network = nullptr;
  T_ASC_Association *association = nullptr;
  bool is_open = false;

  /// Ends after so many seconds of silence. The connection's reader gets the bytes of `before` first.
  WatchedAssociation(Watch &watch, int seconds, std::string before = {});
  /// Aborts an association that was not released.
  ~WatchedAssociation();
  /// Throws an `Ending` at the association's end or a failure.
  void require(const OFCondition &condition) const;
};

/// An association with a server.
class Association : public WatchedAssociation {
 public:
  /// Throws an `Ending` unless the server accepts one of the proposals.
  Association(const CDICOMServer &server, Watch &watch, const std::vector<Proposal> &proposals);

  /// Returns the number of the agreement on a service. Throws an `Ending` without one.
  T_ASC_PresentationContextID agreement(const char *service) const;
  /// Returns the agreement on storage of a file: in its own syntax, or else in one that takes the same pixels.
  T_ASC_PresentationContextID agreement(const std::string &sop_class, DcmDataset &dataset) const;
  void send(T_ASC_PresentationContextID agreement, T_DIMSE_Message &message, DcmDataset &dataset);
  /// Receives a command; `agreement` becomes its own.
  T_DIMSE_Message receive(T_ASC_PresentationContextID &agreement);
  /// Receives what belongs to a command.
  std::unique_ptr<DcmDataset> receive_dataset();
  /// Writes the file that belongs to a command, as it comes, and tells the server.
  void receive_file(T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, const std::string &path);
  /// Sends a file. Returns the server's status.
  Uint16 send_file(T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, DcmDataset &dataset);
  /// The most answers that a search or a transfer needs.
  int64_t most_answers() const { return watch.transfer.most_files + 1; }
  Uint16 next_message() { return association->nextMsgID++; }
  /// Ends the association as agreed.
  void release();

 private:
  void request(const CDICOMServer &server, T_ASC_Parameters *parameters);
};

/// Runs a transfer for a C function.
CDICOMOutcome outcome(CDICOMTransfer *transfer, const std::function<void(Watch &)> &body) noexcept;

}  // namespace cdicom
