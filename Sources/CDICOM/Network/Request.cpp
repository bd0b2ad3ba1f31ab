#include "Request.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace cdicom {

namespace {

using clock = std::chrono::steady_clock;

/// Far more than the 128 contexts of a request need.
constexpr size_t most_request_bytes = 1 << 18;
constexpr size_t head_bytes = 6, title_bytes = 16, fixed_bytes = 68;
constexpr uint8_t request_type = 0x01, rejection_type = 0x03, abort_type = 0x07;
constexpr uint8_t application_item = 0x10, context_item = 0x20, class_item = 0x30, syntax_item = 0x40;
constexpr uint8_t user_item = 0x50, size_item = 0x51, implementation_item = 0x52;
const std::string application = "1.2.840.10008.3.1.1.1";

Ending misunderstood(const char *reason) { return {CDICOMOutcomeFailed, reason}; }

/// Reads a PDU from its begin to its end, never beyond.
struct Bytes {
  const uint8_t *at, *end;

  explicit Bytes(const std::string &bytes)
      : at(reinterpret_cast<const uint8_t *>(bytes.data())), end(at + bytes.size()) {}
  size_t left() const { return size_t(end - at); }
  Bytes take(size_t count) {
    if (count > left()) throw misunderstood("a part of the request is longer than the whole");
    Bytes part = *this;
    part.end = at + count;
    at += count;
    return part;
  }
  uint32_t number(size_t size) {
    const Bytes part = take(size);
    uint32_t result = 0;
    for (const uint8_t *byte = part.at; byte < part.end; ++byte) result = result << 8 | *byte;
    return result;
  }
  /// Takes an item: its type, a byte, its length and its content.
  Bytes item(uint8_t &type) {
    type = uint8_t(number(2) >> 8);
    return take(number(2));
  }
  /// The rest as text without surrounding spaces and zeros.
  std::string text() const {
    const auto is_space = [](uint8_t byte) { return byte == ' ' || byte == 0; };
    const uint8_t *first = std::find_if_not(at, end, is_space), *last = end;
    while (last > first && is_space(last[-1])) --last;
    return {first, last};
  }
  std::string uid() const {
    const std::string uid = text();
    const bool is_one = !uid.empty() && uid.size() <= 64 && uid.find_first_not_of("0123456789.") == std::string::npos;
    if (!is_one) throw misunderstood("the request has a UID that is none");
    return uid;
  }
};

/// Text up to a zero, which C functions take for its end.
std::string title(const Bytes &bytes) { return bytes.text().c_str(); }

ProposedContext context(Bytes bytes) {
  ProposedContext result;
  result.number = uint8_t(bytes.number(4) >> 24);
  while (bytes.left() > 0) {
    uint8_t type;
    const Bytes part = bytes.item(type);
    if (type == class_item && result.sop_class.empty()) result.sop_class = part.uid();
    else if (type == syntax_item) result.syntaxes.push_back(part.uid());
    else throw misunderstood("the request has a presentation context with another part");
  }
  if (result.number % 2 == 0 || result.sop_class.empty() || result.syntaxes.empty())
    throw misunderstood("the request has a presentation context that is not whole");
  return result;
}

/// The size of PDUs in the user information; 0 where it says none.
uint32_t pdu_size(Bytes bytes) {
  uint32_t result = 0;
  while (bytes.left() > 0) {
    uint8_t type;
    Bytes part = bytes.item(type);
    if (type == size_item) result = part.number(4);
  }
  return result;
}

std::string number(uint32_t value, size_t size) {
  std::string result;
  for (size_t byte = size; byte > 0; --byte) result += char(uint8_t(value >> (8 * (byte - 1))));
  return result;
}

std::string item(uint8_t type, const std::string &content) {
  return number(uint32_t(type) << 8, 2) + number(uint32_t(content.size()), 2) + content;
}

std::string padded(std::string title) {
  title.resize(title_bytes, ' ');
  return title;
}

std::string whole(uint8_t type, const std::string &content) {
  return number(uint32_t(type) << 8, 2) + number(uint32_t(content.size()), 4) + content;
}

}  // namespace

Request::Request(const std::string &pdu) : most_pdu_bytes(0) {
  Bytes bytes(pdu);
  bytes.take(head_bytes);
  if (bytes.left() < fixed_bytes) throw misunderstood("the request is too short");
  if ((bytes.number(2) & 1) == 0) throw Ending(CDICOMOutcomeFailed, "the request is of another protocol version");
  bytes.take(2);
  called = title(bytes.take(title_bytes));
  calling = title(bytes.take(title_bytes));
  bytes.take(32);
  std::set<uint8_t> numbers;
  while (bytes.left() > 0) {
    uint8_t type;
    const Bytes part = bytes.item(type);
    if (type == context_item) contexts.push_back(context(part));
    else if (type == user_item) most_pdu_bytes = pdu_size(part);
    if (type == context_item && !numbers.insert(contexts.back().number).second)
      throw misunderstood("the request has two presentation contexts of one number");
  }
  if (contexts.empty()) throw misunderstood("the request has no presentation context");
}

std::string Request::pdu() const {
  // Our answers fit into the least size. DCMTK would take some sizes for signs of its own old versions.
  constexpr uint32_t least_size = 1 << 12, usual_size = 1 << 14;
  const uint32_t size = most_pdu_bytes == 0 ? usual_size : std::clamp(most_pdu_bytes, least_size, usual_size);
  std::string content = number(1, 2) + number(0, 2) + padded(called) + padded(calling) + std::string(32, '\0');
  content += item(application_item, application);
  for (const ProposedContext &context : contexts) {
    std::string parts = number(uint32_t(context.number) << 24, 4) + item(class_item, context.sop_class);
    for (const std::string &syntax : context.syntaxes) parts += item(syntax_item, syntax);
    content += item(context_item, parts);
  }
  content += item(user_item, item(size_item, number(size, 4)) + item(implementation_item, "1.2.276.0.7230010.3.0"));
  return whole(request_type, content);
}

Caller::~Caller() {
  if (socket >= 0) close(socket);
}

void Caller::read(std::string &bytes, size_t count, clock::time_point deadline, bool &heard) {
  while (count > 0) {
    if (!service.goes_on(service.context)) throw Ending(CDICOMOutcomeStopped, "it was given up");
    if (clock::now() > deadline) throw Ending(CDICOMOutcomeSilent, "no request came");
    pollfd state{socket, POLLIN, 0};
    if (poll(&state, 1, 200) <= 0) continue;
    char buffer[1 << 12];
    const ssize_t got = recv(socket, buffer, std::min(count, sizeof buffer), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) throw Ending(CDICOMOutcomeCut, "the connection ended");
    heard = true;
    bytes.append(buffer, size_t(got));
    count -= size_t(got);
  }
}

std::string Caller::read_request(bool &heard) {
  const auto deadline = clock::now() + std::chrono::seconds(service.negotiating);
  std::string bytes;
  read(bytes, head_bytes, deadline, heard);
  Bytes head(bytes);
  const uint8_t type = uint8_t(head.number(2) >> 8);
  const uint32_t size = head.number(4);
  if (type != request_type) throw misunderstood("it begins with something else than a request for an association");
  if (size > most_request_bytes) throw misunderstood("the request is too long");
  read(bytes, size, deadline, heard);
  return bytes;
}

void Caller::reject(uint8_t result, uint8_t source, uint8_t reason) {
  say_last(whole(rejection_type, {0, char(result), char(source), char(reason)}));
}

void Caller::abort() { say_last(whole(abort_type, {0, 0, 2, 0})); }

/// Sends the last word, and waits a moment for the caller to hang up: an end with unread bytes would take it back.
void Caller::say_last(const std::string &pdu) {
  without_signals(socket);
  if (send_some(socket, pdu.data(), pdu.size()) < 0) return;
  shutdown(socket, SHUT_WR);
  const auto deadline = clock::now() + std::chrono::seconds(1);
  while (clock::now() < deadline && service.goes_on(service.context)) {
    pollfd state{socket, POLLIN, 0};
    if (poll(&state, 1, 200) <= 0) continue;
    char buffer[1 << 12];
    if (recv(socket, buffer, sizeof buffer, MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace cdicom
