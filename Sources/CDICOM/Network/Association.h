// An association with a DICOM server: a connection for commands of the kinds that both have agreed on.
#pragma once

#include "Connection.h"

#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cdicom {

/// A service or a class of files, and transfer syntaxes of which the server chooses one.
struct Proposal {
  std::string sop_class;
  std::vector<const char *> syntaxes;
  T_ASC_SC_ROLE role = ASC_SC_ROLE_DEFAULT;
};

/// The uncompressed syntaxes, the usual ones first.
extern const std::vector<const char *> uncompressed_syntaxes;
/// The other syntaxes that the reader reads.
extern const std::vector<const char *> compressed_syntaxes;
/// Classes of grey images of one frame, and of multi-frame ones, which the reader refuses in its own words.
extern const std::vector<std::string> image_classes;

class Association {
 public:
  /// Throws an `Ending` unless the server accepts one of the proposals.
  Association(const CDICOMServer &server, Watch &watch, const std::vector<Proposal> &proposals);
  /// Receives a request for an association on a connection that was accepted, which it takes over.
  ///
  /// Throws an `Ending` unless the request comes within the seconds.
  Association(int socket, int32_t answering, int32_t negotiating, Watch &watch);
  /// Aborts an association that was not released.
  ~Association();
  Association(const Association &) = delete;

  /// Returns the number of the agreement on a service. Throws an `Ending` without one.
  T_ASC_PresentationContextID agreement(const char *service) const;
  /// Returns the agreement on storage of a file: in its own syntax, or else in one that takes the same pixels.
  T_ASC_PresentationContextID agreement(const std::string &sop_class, DcmDataset &dataset) const;
  void send(T_ASC_PresentationContextID agreement, T_DIMSE_Message &message, DcmDataset &dataset);
  /// Receives a command; `agreement` becomes its own.
  T_DIMSE_Message receive(T_ASC_PresentationContextID &agreement);
  /// Receives what belongs to a command.
  std::unique_ptr<DcmDataset> receive_dataset();
  /// Writes the file that belongs to a command, as it comes, and tells the other side what became of it.
  ///
  /// `judge` gives the status once the file is whole and closed; without it, all is well.
  void receive_file(
      T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, const std::string &path,
      const std::function<Uint16()> &judge = {});
  /// Sends a file. Returns the server's status.
  Uint16 send_file(T_ASC_PresentationContextID agreement, T_DIMSE_C_StoreRQ &request, DcmDataset &dataset);
  /// The most answers that a search or a transfer needs.
  int64_t most_answers() const { return watch.transfer.most_files + 1; }
  Uint16 next_message() { return association->nextMsgID++; }
  /// Ends the association as agreed.
  void release();

  /// The titles by which the other side calls itself and us, without spaces around them.
  struct Titles {
    std::string calling, called;
  };
  Titles titles() const;
  /// Refuses a request.
  void reject(const T_ASC_RejectParameters &parameters);
  /// Accepts a request. `choose` gives the index of the syntax that is taken for a class of those that are proposed, −1
  /// for a class that is not taken, and −2 for syntaxes that are not.
  void accept(const std::function<int(const char *sop_class, const std::vector<const char *> &syntaxes)> &choose);
  /// Receives a command; none once the other side has released the association.
  std::optional<T_DIMSE_Message> receive_or_release(T_ASC_PresentationContextID &agreement);
  /// The class of files of an agreement.
  std::string sop_class(T_ASC_PresentationContextID agreement) const;
  void answer_echo(T_ASC_PresentationContextID agreement, const T_DIMSE_C_EchoRQ &request);

 private:
  Watch &watch;
  WatchedLayer layer;
  T_ASC_Network *network = nullptr;
  T_ASC_Association *association = nullptr;
  bool is_open = false;

  static std::mutex &handover();
  void initialize(T_ASC_NetworkRole role, int32_t seconds);
  void request(const CDICOMServer &server, T_ASC_Parameters *parameters);
  void require(const OFCondition &condition) const;
  void close();
};

/// Runs a transfer for a C function.
CDICOMOutcome outcome(CDICOMTransfer *transfer, const std::function<void(Watch &)> &body) noexcept;

}  // namespace cdicom
