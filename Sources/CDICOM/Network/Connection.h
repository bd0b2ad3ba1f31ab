// A transfer's connection, which ends after silence, beyond a bound of bytes, or when its watcher says so.
#pragma once

#include "../Support.h"

#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
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
class Watch {
 public:
  CDICOMTransfer &transfer;
  /// The reason; done as long as there is none.
  CDICOMOutcome end = CDICOMOutcomeDone;

  explicit Watch(CDICOMTransfer &transfer) : transfer(transfer), all_left(transfer.most_bytes) {}

  /// Asks the watcher.
  bool goes_on();
  /// Bounds what the server sends from now on: a command or an answer, which DCMTK reads into memory.
  void expect_message() {
    left = most_message_bytes;
    expects_message = true;
  }
  /// Bounds the file that the server sends from now on.
  void expect_file() {
    left = transfer.most_file_bytes;
    expects_message = false;
  }
  bool has_room();
  /// The most bytes that may come now, where there is room.
  size_t room() const { return size_t(std::min(left, all_left)); }
  void received(ssize_t bytes);
  /// Gives up as silent unless `finish` is called within so many seconds, however many bytes come meanwhile.
  void finish_within(int seconds) { deadline = clock::now() + std::chrono::seconds(seconds); }
  void finish() { deadline.reset(); }

 private:
  /// DCMTK follows nested sequences by recursion: so many bytes nest 4,000 deep, and 10,000 would crash it.
  static constexpr int64_t most_message_bytes = 1 << 16;
  using clock = std::chrono::steady_clock;
  std::optional<clock::time_point> deadline;
  int64_t left = most_message_bytes;
  bool expects_message = true;
  int64_t all_left;
};

/// Makes connections that a watch can end.
class WatchedLayer : public DcmTransportLayer {
 public:
  /// `connected` is called once there is a connection.
  WatchedLayer(Watch &watch, int seconds, std::function<void()> connected = {})
      : watch(watch), seconds(seconds), connected(std::move(connected)) {}
  DcmTransportConnection *createConnection(DcmNativeSocketType socket, OFBool is_secure) override;

 private:
  Watch &watch;
  int seconds;  // of silence
  std::function<void()> connected;
};

}  // namespace cdicom
