// C functions over DCMTK.
//
// Ownership: the caller frees a returned handle once, with its free function. Arguments are borrowed.
// Errors: null or false means failure. cdicom_error then returns the message of this thread's last failure.
// Names: functions have the prefix cdicom_, types CDICOM. CTorch and CITK follow the same rules.
// Text is UTF-8. DCMTK follows nested sequences by recursion without a limit: callers check a file's depth first.
#ifndef CDICOM_H
#define CDICOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CDICOMFile CDICOMFile;
typedef struct CDICOMSegmentation CDICOMSegmentation;

/// Returns the message of the last failure on this thread.
const char *cdicom_error(void);

// MARK: Reading

/// Opens a file. Values longer than 4096 bytes, pixels among them, stay on disk until they are needed.
CDICOMFile *_Nullable cdicom_file_open(const char *path);
void cdicom_file_free(CDICOMFile *file);
/// Reads a value of the data set, or of the meta header (group 2), as text without surrounding spaces.
///
/// `tag` is group << 16 | element. `position` counts from 0. Returns the length, at most `capacity`; −1 without a value.
ptrdiff_t cdicom_value(const CDICOMFile *file, uint32_t tag, ptrdiff_t position, char *text, ptrdiff_t capacity);
/// Reads a value of the first item of nested sequences. `path` holds their tags, the outermost first.
ptrdiff_t cdicom_value_within(
    const CDICOMFile *file, const uint32_t *path, ptrdiff_t depth, uint32_t tag, char *text, ptrdiff_t capacity);
/// Tells whether there is a sequence with an item.
bool cdicom_has_sequence(const CDICOMFile *file, uint32_t tag);
/// Returns the size of the pixels in the file, compressed or not; −1 without pixels.
ptrdiff_t cdicom_pixel_bytes(const CDICOMFile *file);
bool cdicom_is_compressed(const CDICOMFile *file);
/// Tells whether cdicom_read_pixels can decode the file's transfer syntax.
bool cdicom_can_decode(const CDICOMFile *file);

typedef struct CDICOMPixels {
  ptrdiff_t columns, rows;
  ptrdiff_t bits_allocated;  // 8 or 16
  ptrdiff_t bits_stored;
  ptrdiff_t high_bit;
  bool is_signed;
  double slope, intercept;
  int32_t padding_low, padding_high;  // stored values without data; none where low is above high
} CDICOMPixels;

/// Reads a grey image's single frame as stored value × slope + intercept. `values` and `no_data` hold columns × rows.
bool cdicom_read_pixels(const CDICOMFile *file, const CDICOMPixels *pixels, float *values, bool *no_data);

// MARK: Reading a segmentation

/// One frame's functional groups, or those that all frames share.
typedef struct CDICOMFrame {
  int32_t segment;        // 0 without one
  double position[3];     // of the first pixel, in mm
  double orientation[6];  // direction cosines of a row and of a column
  double spacing[2];      // of rows and of columns, in mm
  bool is_placed;         // the three above are there
} CDICOMFrame;

/// Returns the number of a sequence's items; 0 without it.
ptrdiff_t cdicom_item_count(const CDICOMFile *file, uint32_t sequence);
/// Reads a value of an item, which counts from 0.
ptrdiff_t cdicom_value_of_item(
    const CDICOMFile *file, uint32_t sequence, ptrdiff_t item, uint32_t tag, char *text, ptrdiff_t capacity);
/// Describes the first `count` frames, as many as Per-frame Functional Groups has items.
bool cdicom_frames(const CDICOMFile *file, CDICOMFrame *frames, ptrdiff_t count);
/// Copies the first bytes of pixels that are not compressed.
bool cdicom_copy_pixels(const CDICOMFile *file, uint8_t *bytes, ptrdiff_t count);

// MARK: Elements that a segmentation inherits from its source

/// A fault of one element.
typedef struct CDICOMFault {
  uint32_t tag;
  bool is_required;  // by the segmentation
  bool is_missing;   // else invalid
  bool is_kept;      // a UID that only leading zeros make invalid, as in many old files
  char keyword[64];
  char value[128];
} CDICOMFault;

/// Finds the fault of the lowest tag above `after`. False without one.
bool cdicom_next_fault(const CDICOMFile *source, uint32_t after, CDICOMFault *fault);
/// Tells whether a UID is valid, or would be without the leading zeros of its parts.
bool cdicom_is_uid(const char *uid);

// MARK: Writing a segmentation: create, add segments, add frames, check or save

typedef struct CDICOMCode {
  const char *value, *scheme, *meaning;
} CDICOMCode;

/// New UIDs of a segmentation.
typedef struct CDICOMUIDs {
  const char *instance, *series, *dimension_organization;
} CDICOMUIDs;

/// Creates a segmentation with the patient, study and frame of reference of `source`.
///
/// Invalid elements of these are removed from `source` in memory. `spacing` is the distance of rows, columns and
/// slices in mm. `orientation` holds the direction cosines of a row and of a column. `needs_utf8` converts the source's
/// text to UTF-8 and allows it in labels; else labels are ASCII.
CDICOMSegmentation *_Nullable cdicom_segmentation_create(
    CDICOMFile *source, CDICOMUIDs uids, const char *software_version, bool needs_utf8, const double *spacing,
    const double *orientation);
void cdicom_segmentation_free(CDICOMSegmentation *segmentation);
/// Adds a segment. The first gets number 1.
///
/// `modifier` narrows `type`, such as left. `colour` is red, green and blue.
bool cdicom_segmentation_add_segment(
    CDICOMSegmentation *segmentation, const char *label, CDICOMCode category, CDICOMCode type,
    const CDICOMCode *_Nullable modifier, const uint8_t *colour);
/// Adds a segment's frame of one slice. `place` is the slice's number from 1.
///
/// `mask` holds columns × rows of the source, nonzero inside the segment. `position` is its first pixel's, in mm.
bool cdicom_segmentation_add_frame(
    CDICOMSegmentation *segmentation, ptrdiff_t segment, ptrdiff_t place, const uint8_t *mask, const double *position,
    const char *source_class, const char *source_instance);
/// Adds a reference to an image of the source's series.
bool cdicom_segmentation_add_reference(
    CDICOMSegmentation *segmentation, const char *source_class, const char *source_instance);
/// Tells whether the segmentation so far could be saved.
bool cdicom_segmentation_check(CDICOMSegmentation *segmentation);
bool cdicom_segmentation_save(CDICOMSegmentation *segmentation, const char *path);

// MARK: Network

/// A DICOM server.
typedef struct CDICOMServer {
  const char *host;       // a name or an IPv4 address
  const char *title;      // its application entity's
  const char *own_title;  // ours
  uint16_t port;
  int32_t connecting, answering;  // seconds to wait for it, and for its next byte
} CDICOMServer;

/// The end of a transfer.
typedef enum __attribute__((enum_extensibility(closed))) CDICOMOutcome {
  CDICOMOutcomeDone,
  CDICOMOutcomeUnreachable,      // no connection
  CDICOMOutcomeUnknownTitle,     // the server has another title
  CDICOMOutcomeUnknownOwnTitle,  // it does not know ours
  CDICOMOutcomeRejected,         // the association, for another reason
  CDICOMOutcomeUnsupported,      // by the server: a service, or a class of files in their syntax
  CDICOMOutcomeSearchRefused,    // by the server, with a status
  CDICOMOutcomeNotFound,
  CDICOMOutcomeRefused,     // by the server, with a status
  CDICOMOutcomeIncomplete,  // the server did not send all files
  CDICOMOutcomeAborted,     // by the server, as where it does not know our title
  CDICOMOutcomeCut,         // the connection ended
  CDICOMOutcomeSilent,      // no byte in all the time
  CDICOMOutcomeStopped,     // by goes_on
  CDICOMOutcomeTooLarge,    // beyond a bound of the transfer
  CDICOMOutcomeEndless,     // a message, or their number, beyond all sense
  CDICOMOutcomeUnwritable,  // a file on this disk
  CDICOMOutcomeFailed,
} CDICOMOutcome;

/// Bounds of a transfer, its watcher, and how far it came.
typedef struct CDICOMTransfer {
  int64_t most_files, most_file_bytes, most_bytes;  // that a server may send
  /// Is called at each step and, while waiting, five times a second; false stops the transfer.
  bool (*_Nullable goes_on)(void *_Nullable context, int64_t files, int64_t total);
  void *_Nullable context;
  int64_t files, total;  // done, and to do; 0 to do as long as it is unknown
  int32_t status;        // the server's, where it refused
} CDICOMTransfer;

/// Writes a series' files into a folder as they are on the server, named by numbers, through C-FIND and C-GET.
///
/// `study` is for servers that find a series only within it. Files stay in the folder whatever the outcome. After any
/// other outcome than done, cdicom_error has its reason.
CDICOMOutcome cdicom_fetch(
    const CDICOMServer *server, const char *_Nullable study, const char *series, const char *folder,
    CDICOMTransfer *transfer);
/// Sends files in their own syntaxes through C-STORE.
CDICOMOutcome cdicom_store(
    const CDICOMServer *server, const char *_Nonnull const *_Nonnull paths, ptrdiff_t count, CDICOMTransfer *transfer);

// MARK: Network, as a server

typedef struct CDICOMListener CDICOMListener;

/// The reason why nobody can listen.
typedef enum __attribute__((enum_extensibility(closed))) CDICOMListening {
  CDICOMListeningDone,
  CDICOMListeningUnknownHost,
  CDICOMListeningForeignAddress,  // not of this machine
  CDICOMListeningPortTaken,
  CDICOMListeningForbidden,  // the port needs rights
  CDICOMListeningFailed,
} CDICOMListening;

/// Listens. `host` is a name or an IPv4 or IPv6 address; port 0 takes a free one. Null without `outcome` done.
CDICOMListener *_Nullable cdicom_listener_open(const char *host, uint16_t port, CDICOMListening *outcome);
void cdicom_listener_free(CDICOMListener *listener);
uint16_t cdicom_listener_port(const CDICOMListener *listener);
/// Waits for a caller. Returns its socket, which cdicom_serve closes; −1 without one in that time.
///
/// `peer` becomes the caller's address.
int32_t cdicom_listener_accept(const CDICOMListener *listener, int32_t milliseconds, char *peer, ptrdiff_t capacity);
/// Closes a socket of a caller that is not served.
void cdicom_turn_away(int32_t socket);

/// The answer to a request for an association.
typedef enum __attribute__((enum_extensibility(closed))) CDICOMAdmission {
  CDICOMAdmissionGranted,
  CDICOMAdmissionOtherTitle,     // it calls a title that is not ours
  CDICOMAdmissionUnknownCaller,  // its own title is not allowed
  CDICOMAdmissionBusy,
} CDICOMAdmission;

/// An image that came whole. The file has a meta header, and the transfer syntax of its sender.
typedef struct CDICOMReceived {
  const char *file, *sop_class, *instance;
} CDICOMReceived;

/// A storage service. All its functions get `context`, on the thread of the association.
typedef struct CDICOMService {
  const char *folder;                      // for files that are being received
  int32_t negotiating, answering;          // seconds for the whole request, and for the caller's next byte
  int64_t most_image_bytes;
  void *_Nullable context;
  bool (*goes_on)(void *_Nullable context);  // is called at each step and, while waiting, five times a second
  /// Judges titles, which are without surrounding spaces and can hold any other bytes.
  CDICOMAdmission (*admit)(void *_Nullable context, const char *called, const char *calling);
  /// Takes an image. Returns the status for its sender. A file that is still there afterwards is removed.
  uint16_t (*receive)(void *_Nullable context, const CDICOMReceived *image);
  /// Takes the reason why a file cannot be written. Its sender learns that resources lack.
  void (*unwritable)(void *_Nullable context, const char *reason);
} CDICOMService;

/// Serves one association to its end, with C-ECHO and with C-STORE of images. Closes the socket.
///
/// Needs a thread with a stack of 8 MiB: DCMTK follows nested sequences of a command by recursion. `heard` tells whether
/// the caller sent anything at all. After any other outcome than done, cdicom_error has its reason.
CDICOMOutcome cdicom_serve(int32_t socket, const CDICOMService *service, bool *heard);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
