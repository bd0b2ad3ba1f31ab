#include "Connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>

namespace cdicom {

bool Watch::goes_on() {
  if (end != CDICOMOutcomeDone) return false;
  if (transfer.goes_on && !transfer.goes_on(transfer.context, transfer.files, transfer.total))
    end = CDICOMOutcomeStopped;
  else if (deadline && clock::now() > *deadline) end = CDICOMOutcomeSilent;
  return end == CDICOMOutcomeDone;
}

bool Watch::has_room() {
  if (left <= 0 && expects_message) end = CDICOMOutcomeEndless;
  else if (left <= 0 || all_left <= 0) end = CDICOMOutcomeTooLarge;
  return end == CDICOMOutcomeDone;
}

void Watch::received(ssize_t bytes) {
  left -= bytes;
  all_left -= bytes;
}

namespace {

#ifdef MSG_NOSIGNAL
constexpr int without_signal = MSG_NOSIGNAL;
#else
constexpr int without_signal = 0;
#endif

class WatchedConnection : public DcmTCPConnection {
 public:
  WatchedConnection(DcmNativeSocketType socket, Watch &watch, int seconds)
      : DcmTCPConnection(socket), watch(watch), seconds(seconds) {
    // DCMTK sends a message in two parts, and the second would wait 40 ms for the answer to the first.
    const int is_set = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &is_set, sizeof is_set);
  }

  ssize_t read(void *buffer, size_t count) override {
    if (!watch.has_room() || !is_ready(POLLIN, seconds)) return given_up();
    const ssize_t bytes = recv(getSocket(), buffer, std::min(count, watch.room()), 0);
    if (bytes > 0) watch.received(bytes);
    else if (bytes == 0 || errno != EINTR) watch.end = CDICOMOutcomeCut;  // DCMTK takes it for an abort
    return bytes;
  }

  /// Writes all, as DCMTK expects.
  ssize_t write(void *buffer, size_t count) override {
    // The word that a transfer is given up may still be sent.
    if (watch.end != CDICOMOutcomeDone) return send_some(buffer, count);
    for (size_t sent = 0; sent < count;) {
      if (!is_ready(POLLOUT, seconds)) return given_up();
      const ssize_t bytes = send_some(static_cast<char *>(buffer) + sent, count - sent);
      if (bytes >= 0) sent += size_t(bytes);
      else if (errno != EAGAIN && errno != EINTR) return -1;
    }
    return ssize_t(count);
  }

  OFBool networkDataAvailable(int timeout) override { return is_ready(POLLIN, timeout); }

 private:
  Watch &watch;
  const int seconds;

  ssize_t send_some(const void *buffer, size_t count) {
    return send(getSocket(), buffer, count, MSG_DONTWAIT | without_signal);
  }

  /// Waits, and asks the watcher five times a second.
  bool is_ready(short event, int timeout) {
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + std::chrono::seconds(timeout);
    while (watch.goes_on()) {
      pollfd state{getSocket(), event, 0};
      if (poll(&state, 1, timeout > 0 ? 200 : 0) > 0) return true;
      if (clock::now() < deadline) continue;
      if (timeout > 0) watch.end = CDICOMOutcomeSilent;
      return false;
    }
    return false;
  }

  /// The failure of a call, which DCMTK must not repeat as it does interrupted ones.
  static ssize_t given_up() {
    errno = ECONNABORTED;
    return -1;
  }
};

}  // namespace

DcmTransportConnection *WatchedLayer::createConnection(DcmNativeSocketType socket, OFBool is_secure) {
  if (is_secure) return nullptr;
  auto made = std::make_unique<WatchedConnection>(socket, watch, seconds);
  if (connected) connected();
  return made.release();
}

}  // namespace cdicom
