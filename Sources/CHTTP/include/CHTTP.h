// C functions over libcurl: requests over HTTP and HTTPS, one at a time.
//
// Ownership: the caller frees a returned client once, with its free function. Arguments are borrowed.
// Names: functions have the prefix chttp_, types CHTTP.
// A server's certificate is always checked. Redirections are answers like others: nothing is asked of another server.
#ifndef CHTTP_H
#define CHTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

/// A client, which keeps its connections for the next request.
typedef struct CHTTPClient CHTTPClient;

/// The end of a request.
typedef enum __attribute__((enum_extensibility(closed))) CHTTPOutcome {
  CHTTPOutcomeDone,         // an answer with any status
  CHTTPOutcomeUnreachable,  // no connection
  CHTTPOutcomeUntrusted,    // the authority of the server's certificate
  CHTTPOutcomeInvalid,      // the certificate, by its name or dates
  CHTTPOutcomeNoTLS,        // no agreement on encryption
  CHTTPOutcomeNoHTTP,       // an answer in another language
  CHTTPOutcomeBadCA,        // the file of certificates cannot be read
  CHTTPOutcomeCut,          // the connection ended
  CHTTPOutcomeSilent,       // no byte in all the time
  CHTTPOutcomeStopped,      // by goes_on
  CHTTPOutcomeRefused,      // by begin, receive or send
  CHTTPOutcomeEndless,      // headers beyond all sense
  CHTTPOutcomeFailed,
} CHTTPOutcome;

/// A request. Texts are null where there is none.
typedef struct CHTTPRequest {
  const char *url;
  const char *const _Nonnull *_Nonnull headers;  // whole lines
  ptrdiff_t header_count;
  const char *_Nullable user, *_Nullable password;  // of Basic authentication
  const char *_Nullable token;                      // of Bearer authentication
  const char *_Nullable ca_file;                    // the trusted authorities, PEM
  bool is_direct;                                   // without a proxy that the environment names
  int32_t connecting, answering;                    // seconds to wait for a connection, and for the next byte
  int64_t body_bytes;                               // of a POST; negative for a GET
  /// Is called at each step and, while nothing comes, about once a second; false stops the request.
  bool (*goes_on)(void *_Nullable context);
  /// Takes status and Content-Type before the first byte of an answer; false refuses it.
  bool (*begin)(void *_Nullable context, int32_t status, const char *content_type);
  /// Takes bytes of an answer; false refuses it.
  bool (*receive)(void *_Nullable context, const uint8_t *bytes, ptrdiff_t count);
  /// Gives bytes of the body, at most `capacity`; negative gives it up.
  ptrdiff_t (*send)(void *_Nullable context, uint8_t *bytes, ptrdiff_t capacity);
  /// Begins the body anew, where the server has just closed a kept connection; false where that is not possible.
  bool (*rewind)(void *_Nullable context);
  void *_Nullable context;
} CHTTPRequest;

/// Makes a client; null where there is no memory.
CHTTPClient *_Nullable chttp_client_create(void);
void chttp_client_free(CHTTPClient *client);
/// Runs a request to its end. `reason` gets words of this machine, never of the server; it holds `capacity` bytes.
CHTTPOutcome chttp_run(CHTTPClient *client, const CHTTPRequest *request, char *reason, ptrdiff_t capacity);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
