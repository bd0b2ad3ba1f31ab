#include "Connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cdicom {

bool Watch::goes_on() {
  if (end != CDICOMOutcomeDone) return false;
  if (transfer.goes_on && !transfer.goes_on(transfer.context, transfer.files, transfer.total))
    end = CDICOMOutcomeStopped;
  return end == CDICOMOutcomeDone;
}

bool Watch::has_room() {
  if (left <= 0 && expects_message) end = CDICOMOutcomeEndless;
  else if (left <= 0 || all_left <= 0) end = CDICOMOutcomeTooLarge;
  return end == CDICOMOutcomeDone;
}

void Watch::received(ssize_t bytes, int seconds) {
  constexpr int64_t least = 1 << 10;
  left -= bytes;
  all_left -= bytes;
  const auto now = std::chrono::steady_clock::now();
  const bool is_over = paced >= 0 && now - paced_since > std::chrono::seconds(seconds);
  if (is_over && paced < least) end = CDICOMOutcomeSilent;
  if (is_over || paced < 0) {
    paced_since = now;
    paced = 0;
  }
  paced += bytes;
}

ssize_t send_some(int socket, const void *buffer, size_t count) {
#ifdef MSG_NOSIGNAL
  return send(socket, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
#else
  return send(socket, buffer, count, MSG_DONTWAIT);
#endif
}

void without_signals([[maybe_unused]] int socket) {
#ifdef SO_NOSIGPIPE
  const int is_set = 1;
  setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &is_set, sizeof is_set);
#endif
}

namespace {

class WatchedConnection : public DcmTCPConnection {
 public:
  WatchedConnection(DcmNativeSocketType socket, Watch &watch, int seconds, std::string before)
      : DcmTCPConnection(socket), watch(watch), seconds(seconds), before(std::move(before)) {
    // DCMTK sends a message in two parts, and the second would wait 40 ms for the answer to the first.
    const int is_set = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &is_set, sizeof is_set);
    without_signals(socket);
  }

  ssize_t read(void *buffer, size_t count) override {
    if (const size_t kept = before.size() - used; kept > 0) {
      count = std::min(count, kept);
      std::memcpy(buffer, before.data() + used, count);
      used += count;
      return ssize_t(count);
    }
    if (!watch.has_room() || !is_ready(POLLIN, seconds)) {
      say_abort();
      return given_up();
    }
    const ssize_t bytes = recv(getSocket(), buffer, count, 0);
    if (bytes > 0) watch.received(bytes, seconds);
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
      else if (errno != EAGAIN && errno != EINTR) {
        watch.end = CDICOMOutcomeCut;
        return -1;
      }
    }
    return ssize_t(count);
  }

  OFBool networkDataAvailable(int timeout) override {
    return used < before.size() || is_ready(POLLIN, timeout);
  }

 private:
  Watch &watch;
  const int seconds;
  const std::string before;
  size_t used = 0;

  ssize_t send_some(const void *buffer, size_t count) { return cdicom::send_some(getSocket(), buffer, count); }

  /// Tells the peer. DCMTK takes a failed read for a closed connection, and would tell nobody.
  void say_abort() {
    const unsigned char abort[] = {7, 0, 0, 0, 0, 4, 0, 0, 0, 0};
    if (watch.end != CDICOMOutcomeDone && watch.end != CDICOMOutcomeCut) send_some(abort, sizeof abort);
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
  has_connected = true;
  return new WatchedConnection(socket, watch, seconds, std::move(before));
}

}  // namespace cdicom
