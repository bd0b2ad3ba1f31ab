#include "CHTTP.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CHTTPClient {
  CURL *handle;
};

/// libcurl keeps an answer's headers in memory.
static const size_t most_header_bytes = 1 << 16;

/// A request that runs, and the reason why a callback ended it.
typedef struct Exchange {
  const CHTTPRequest *request;
  CURL *handle;
  CHTTPOutcome end;  // done as long as there is no reason
  size_t header_bytes;
  bool has_begun;
} Exchange;

static bool begin(Exchange *exchange) {
  long status = 0;
  char *type = NULL;
  curl_easy_getinfo(exchange->handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(exchange->handle, CURLINFO_CONTENT_TYPE, &type);
  exchange->has_begun = true;
  if (!exchange->request->begin(exchange->request->context, (int32_t)status, type ? type : ""))
    exchange->end = CHTTPOutcomeRefused;
  return exchange->end == CHTTPOutcomeDone;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  Exchange *exchange = context;
  if (!exchange->has_begun && !begin(exchange)) return 0;
  if (!exchange->request->receive(exchange->request->context, (const uint8_t *)bytes, (ptrdiff_t)(size * count))) {
    exchange->end = CHTTPOutcomeRefused;
    return 0;
  }
  return size * count;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  Exchange *exchange = context;
  exchange->header_bytes += size * count;
  if (exchange->header_bytes <= most_header_bytes) return size * count;
  exchange->end = CHTTPOutcomeEndless;
  return 0;
}

static size_t send_body(char *bytes, size_t size, size_t count, void *context) {
  Exchange *exchange = context;
  const ptrdiff_t given =
      exchange->request->send(exchange->request->context, (uint8_t *)bytes, (ptrdiff_t)(size * count));
  if (given >= 0) return (size_t)given;
  exchange->end = CHTTPOutcomeRefused;
  return CURL_READFUNC_ABORT;
}

static int rewind_body(void *context, curl_off_t offset, int origin) {
  Exchange *exchange = context;
  const bool is_start = offset == 0 && origin == SEEK_SET;
  return is_start && exchange->request->rewind(exchange->request->context) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static int watch(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  (void)a, (void)b, (void)c, (void)d;
  Exchange *exchange = context;
  if (exchange->request->goes_on(exchange->request->context)) return 0;
  exchange->end = CHTTPOutcomeStopped;
  return 1;
}

static void set_body(const CHTTPRequest *request, CURL *handle) {
  if (request->body_bytes < 0) {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 18);
}

static void set_credentials(const CHTTPRequest *request, CURL *handle) {
  curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  if (request->token) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, request->token);
  } else if (request->user) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(handle, CURLOPT_USERNAME, request->user);
    curl_easy_setopt(handle, CURLOPT_PASSWORD, request->password ? request->password : "");
  }
}

static CURLcode set_protocol(const CHTTPRequest *request, CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
  CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (code == CURLE_OK && request->ca_file) {
    code = curl_easy_setopt(handle, CURLOPT_CAINFO, request->ca_file);
    // No other authority is trusted beside a given one.
    if (code == CURLE_OK) curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
  }
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  if (request->is_direct) curl_easy_setopt(handle, CURLOPT_PROXY, "");
  return code;
}

static CURLcode prepare(Exchange *exchange, struct curl_slist *headers) {
  const CHTTPRequest *request = exchange->request;
  CURL *handle = exchange->handle;
  curl_easy_reset(handle);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)request->connecting);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)request->answering);
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 1L << 18);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, receive_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, send_body);
  curl_easy_setopt(handle, CURLOPT_READDATA, exchange);
  curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, rewind_body);
  curl_easy_setopt(handle, CURLOPT_SEEKDATA, exchange);
  set_body(request, handle);
  set_credentials(request, handle);
  const CURLcode code = set_protocol(request, handle);
  return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_URL, request->url) : code;
}

/// Tells whether the connection, its encryption too, stood.
static bool was_connected(CURL *handle) {
  curl_off_t time = 0;
  curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &time);
  return time > 0;
}

/// Words for a certificate that is invalid, by the number that OpenSSL gives (x509_vfy.h); null for one of an authority
/// that is not trusted.
static const char *invalidity(CURL *handle) {
  long result = 0;
  curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
  switch (result) {
    // libcurl's value until it has compared the name.
    case 1: return "it is of another name";
    case 9: return "it is not valid yet";
    case 10: return "it has expired";
    case 23: return "it was revoked";
    default: return NULL;
  }
}

static bool is_refused_by_proxy(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &status);
  return status >= 300;
}

static const char *reason_of_no_connection(const Exchange *exchange, CURLcode code, char *text, size_t capacity) {
  long fault = 0;
  curl_easy_getinfo(exchange->handle, CURLINFO_OS_ERRNO, &fault);
  if (is_refused_by_proxy(exchange->handle)) return "its proxy refuses";
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) return "its name is unknown";
  if (code == CURLE_COULDNT_CONNECT && fault != 0) return strerror((int)fault);
  if (code != CURLE_OPERATION_TIMEDOUT) return curl_easy_strerror(code);
  snprintf(text, capacity, "no answer in %d s", (int)exchange->request->connecting);
  return text;
}

static CHTTPOutcome outcome(const Exchange *exchange, CURLcode code) {
  if (exchange->end != CHTTPOutcomeDone) return exchange->end;
  if (is_refused_by_proxy(exchange->handle)) return CHTTPOutcomeUnreachable;
  switch (code) {
    case CURLE_OK: return CHTTPOutcomeDone;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return CHTTPOutcomeUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return was_connected(exchange->handle) ? CHTTPOutcomeSilent : CHTTPOutcomeUnreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
      return invalidity(exchange->handle) ? CHTTPOutcomeInvalid : CHTTPOutcomeUntrusted;
    case CURLE_SSL_CACERT_BADFILE: return CHTTPOutcomeBadCA;
    case CURLE_SSL_CONNECT_ERROR: return CHTTPOutcomeNoTLS;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return CHTTPOutcomeNoHTTP;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return CHTTPOutcomeCut;
    default: return CHTTPOutcomeFailed;
  }
}

CHTTPClient *chttp_client_create(void) {
  CHTTPClient *client = calloc(1, sizeof *client);
  if (client) client->handle = curl_easy_init();
  if (client && client->handle) return client;
  free(client);
  return NULL;
}

void chttp_client_free(CHTTPClient *client) {
  curl_easy_cleanup(client->handle);
  free(client);
}

CHTTPOutcome chttp_run(CHTTPClient *client, const CHTTPRequest *request, char *reason, ptrdiff_t capacity) {
  Exchange exchange = {.request = request, .handle = client->handle};
  // No wait for a permission to send the body, which few servers give.
  struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
  for (ptrdiff_t index = 0; headers && index < request->header_count; ++index) {
    struct curl_slist *longer = curl_slist_append(headers, request->headers[index]);
    if (!longer) curl_slist_free_all(headers);
    headers = longer;
  }
  CURLcode code = headers ? prepare(&exchange, headers) : CURLE_OUT_OF_MEMORY;
  if (code == CURLE_OK) code = curl_easy_perform(client->handle);
  // An answer without a body.
  if (code == CURLE_OK && !exchange.has_begun) begin(&exchange);
  const CHTTPOutcome end = outcome(&exchange, code);
  char text[64];
  const char *words = end == CHTTPOutcomeInvalid       ? invalidity(client->handle)
                      : end == CHTTPOutcomeUnreachable ? reason_of_no_connection(&exchange, code, text, sizeof text)
                                                       : curl_easy_strerror(code);
  snprintf(reason, (size_t)capacity, "%s", words);
  curl_easy_reset(client->handle);
  curl_slist_free_all(headers);
  return end;
}
