// A transfer's connection, which ends after silence, beyond a bound of bytes, or when its watcher says so.
#pragma once

#include "../Support.h"

#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include <chrono>
#include <string>
#include <utility>

namespace cdicom {

/// The end of a transfer that is not done.
struct Ending : std::runtime_error {
  CDICOMOutcome outcome;
  int32_t status;

  Ending(CDICOMOutcome outcome, const std::string &reason, int32_t status = 0)
      : std::runtime_error(reason), outcome(outcome), status(status) {}
};

/// The bounds that all connections of a transfer share, and the reason why one was given up.
///
/// What comes at all comes at a pace: a KiB in as many seconds as a silence may have.
class Watch {
 public:
  CDICOMTransfer &transfer;
  /// The reason; done as long as there is none.
  CDICOMOutcome end = CDICOMOutcomeDone;

  explicit Watch(CDICOMTransfer &transfer) : transfer(transfer), all_left(transfer.most_bytes) {}

  /// Asks the watcher.
  bool goes_on();
  /// Bounds what the server sends from now on: a command or an answer, which DCMTK reads into memory.
  void expect_message() { expect(most_message_bytes, true); }
  /// Bounds the file that the server sends from now on.
  void expect_file() { expect(transfer.most_file_bytes, false); }
  bool has_room();
  /// Counts bytes, of which silence may last so many seconds.
  void received(ssize_t bytes, int seconds);

 private:
  /// DCMTK follows nested sequences by recursion: so many bytes nest 4,000 deep, and 10,000 would crash it.
  static constexpr int64_t most_message_bytes = 1 << 16;
  int64_t left = most_message_bytes;
  bool expects_message = true;
  int64_t all_left;
  /// Since when the bytes of the pace are counted; before the first byte, nothing is.
  std::chrono::steady_clock::time_point paced_since;
  int64_t paced = -1;

  void expect(int64_t bytes, bool is_message) {
    left = bytes;
    expects_message = is_message;
    paced = -1;
  }
};

/// Sends what goes at once. A peer that is gone makes an error, not a signal.
ssize_t send_some(int socket, const void *buffer, size_t count);
/// Lets a socket make no signals, where `send_some` cannot see to it.
void without_signals(int socket);

/// Makes connections that a watch can end.
class WatchedLayer : public DcmTransportLayer {
 public:
  /// A connection was made, which closes its socket.
  bool has_connected = false;

  /// The reader of the connection gets the bytes of `before` first.
  WatchedLayer(Watch &watch, int seconds, std::string before = {})
      : watch(watch), seconds(seconds), before(std::move(before)) {}
  DcmTransportConnection *createConnection(DcmNativeSocketType socket, OFBool is_secure) override;

 private:
  Watch &watch;
  int seconds;  // of silence
  std::string before;
};

}  // namespace cdicom
