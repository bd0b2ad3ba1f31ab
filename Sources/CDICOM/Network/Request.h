// A request for an association (A-ASSOCIATE-RQ, PS3.8), which is checked here before DCMTK sees it.
//
// DCMTK's parser of requests has had many faults. It gets a request that is written anew from the parts that are needed:
// titles, kinds of transfer and the size of PDUs. All else, such as names and passwords of users, is left out.
#pragma once

#include "Connection.h"

#include <string>
#include <vector>

namespace cdicom {

/// A presentation context of a request.
struct ProposedContext {
  uint8_t number;
  std::string sop_class;
  std::vector<std::string> syntaxes;
};

struct Request {
  /// The titles without surrounding spaces.
  std::string called, calling;
  std::vector<ProposedContext> contexts;
  /// The size of PDUs that the caller takes.
  uint32_t most_pdu_bytes;

  /// Throws an `Ending` without a sound request.
  explicit Request(const std::string &pdu);
  /// Writes the request anew as a PDU.
  std::string pdu() const;
};

/// A socket of a caller from its acceptance on. It is closed at the end unless it is given away.
class Caller {
 public:
  Caller(int socket, const CDICOMService &service) : socket(socket), service(service) {}
  ~Caller();
  Caller(const Caller &) = delete;

  /// Reads one whole PDU of a request. Throws an `Ending` without it in the service's time.
  std::string read_request(bool &heard);
  /// Says that the association is rejected (PS3.8, 9.3.4).
  void reject(uint8_t result, uint8_t source, uint8_t reason);
  /// Says that the request is not understood (PS3.8, 9.3.8).
  void abort();
  int number() const { return socket; }
  void give_away() { socket = -1; }

 private:
  int socket;
  const CDICOMService &service;

  void read(std::string &bytes, size_t count, std::chrono::steady_clock::time_point deadline, bool &heard);
  void say_last(const std::string &pdu);
};

}  // namespace cdicom
