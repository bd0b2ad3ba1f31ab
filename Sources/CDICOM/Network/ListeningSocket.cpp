#include "Listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses addresses(const char *host) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  const int fault = getaddrinfo(host, nullptr, &wanted, &found);
  if (fault != 0) throw std::runtime_error(gai_strerror(fault));
  return {found, &freeaddrinfo};
}

void set_port(sockaddr *address, uint16_t port) {
  if (address->sa_family == AF_INET6) reinterpret_cast<sockaddr_in6 *>(address)->sin6_port = htons(port);
  else reinterpret_cast<sockaddr_in *>(address)->sin_port = htons(port);
}

uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr *>(&address), &length);
  return ntohs(
      address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&address)->sin6_port
                                    : reinterpret_cast<sockaddr_in *>(&address)->sin_port);
}

bool set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

/// Listens at an address. Returns null with errno set where it cannot.
CDICOMListener *listen_at(const addrinfo &place, uint16_t port) {
  const int socket = ::socket(place.ai_family, SOCK_STREAM, 0);
  if (socket < 0) return nullptr;
  set_port(place.ai_addr, port);
  // `::` takes callers of both kinds of address.
  if (place.ai_family == AF_INET6) set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const bool listens = fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && fcntl(socket, F_SETFL, O_NONBLOCK) == 0 &&
                       set(socket, SOL_SOCKET, SO_REUSEADDR, 1) &&
                       bind(socket, place.ai_addr, place.ai_addrlen) == 0 && listen(socket, 64) == 0;
  if (listens) return new CDICOMListener{socket, port_of(socket)};
  const int fault = errno;
  close(socket);
  errno = fault;
  return nullptr;
}

CDICOMListening listening(int fault) {
  switch (fault) {
    case EADDRINUSE: return CDICOMListeningPortTaken;
    case EADDRNOTAVAIL: return CDICOMListeningForeignAddress;
    case EACCES: return CDICOMListeningForbidden;
    default: return CDICOMListeningFailed;
  }
}

}  // namespace

CDICOMListener::~CDICOMListener() { close(socket); }

CDICOMListener *cdicom_listener_open(const char *host, uint16_t port, CDICOMListening *outcome) {
  return cdicom::guard<CDICOMListener *>(nullptr, [&] {
    *outcome = CDICOMListeningUnknownHost;
    const Addresses found = addresses(host);
    for (const addrinfo *place = found.get(); place; place = place->ai_next) {
      if (CDICOMListener *listener = listen_at(*place, port)) {
        *outcome = CDICOMListeningDone;
        return listener;
      }
      *outcome = listening(errno);
    }
    throw std::runtime_error(std::strerror(errno));
  });
}

void cdicom_listener_free(CDICOMListener *listener) { delete listener; }

uint16_t cdicom_listener_port(const CDICOMListener *listener) { return listener->port; }

int32_t cdicom_listener_accept(
    const CDICOMListener *listener, int32_t milliseconds, char *peer, ptrdiff_t capacity) {
  pollfd state{listener->socket, POLLIN, 0};
  if (poll(&state, 1, milliseconds) <= 0) return -1;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  const int socket = accept(listener->socket, reinterpret_cast<sockaddr *>(&address), &length);
  if (socket < 0) {
    // Without a free descriptor the caller stays, and `poll` would not wait for it.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) poll(nullptr, 0, milliseconds);
    return -1;
  }
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  // BSD hands the listener's flags on.
  fcntl(socket, F_SETFL, 0);
  char text[NI_MAXHOST] = "";
  getnameinfo(reinterpret_cast<sockaddr *>(&address), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  const char *mapped = "::ffff:";
  const bool is_mapped = std::strncmp(text, mapped, std::strlen(mapped)) == 0 && std::strchr(text, '.');
  OFStandard::strlcpy(peer, text + (is_mapped ? std::strlen(mapped) : 0), size_t(capacity));
  return socket;
}

void cdicom_turn_away(int32_t socket) { close(socket); }
