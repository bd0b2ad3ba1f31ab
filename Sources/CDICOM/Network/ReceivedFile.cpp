#include "ReceivedFile.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace cdicom {

ReceivedFile::ReceivedFile(int64_t most_bytes) : most_bytes(most_bytes), output(this) {}

ReceivedFile::ReceivedFile(int64_t most_bytes, const std::string &folder) : ReceivedFile(most_bytes) {
  static std::atomic<uint64_t> last{0};
  do {
    path = folder + "/" + std::to_string(getpid()) + "-" + std::to_string(++last) + ".dcm";
    descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  } while (descriptor < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor >= 0) return;
  fault = errno;
  path.clear();
}

ReceivedFile::~ReceivedFile() {
  if (descriptor >= 0) ::close(descriptor);
  if (!path.empty()) unlink(path.c_str());
}

void ReceivedFile::put(const char *data, size_t count) {
  while (count > 0 && descriptor >= 0 && fault == 0) {
    const ssize_t written = ::write(descriptor, data, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      fault = written < 0 ? errno : EIO;
      return;
    }
    data += written;
    count -= size_t(written);
  }
}

offile_off_t ReceivedFile::write(const void *data, offile_off_t count) {
  bytes += count;
  is_too_large = is_too_large || bytes > most_bytes;
  if (!is_too_large) put(static_cast<const char *>(data), size_t(count));
  return count;
}

void ReceivedFile::write_header(
    const char *sop_class, const char *instance, const char *syntax, const std::string &source_title) {
  DcmMetaInfo header;
  const Uint8 version[] = {0, 1};
  require(header.putAndInsertUint32(DCM_FileMetaInformationGroupLength, 0));
  require(header.putAndInsertUint8Array(DCM_FileMetaInformationVersion, version, sizeof version));
  const std::pair<DcmTagKey, const char *> values[] = {
      {DCM_MediaStorageSOPClassUID, sop_class},
      {DCM_MediaStorageSOPInstanceUID, instance},
      {DCM_TransferSyntaxUID, syntax},
      {DCM_ImplementationClassUID, OFFIS_IMPLEMENTATION_CLASS_UID},
      {DCM_ImplementationVersionName, OFFIS_DTK_IMPLEMENTATION_VERSION_NAME2}};
  for (const auto &[key, text] : values) require(header.putAndInsertString(key, text));
  const bool is_title = !source_title.empty() && std::all_of(source_title.begin(), source_title.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '\\';
  });
  if (is_title) require(header.putAndInsertString(DCM_SourceApplicationEntityTitle, source_title.c_str()));
  require(header.computeGroupLengthAndPadding(
      EGL_withGL, EPD_noChange, META_HEADER_DEFAULT_TRANSFERSYNTAX, EET_UndefinedLength));
  header.transferInit();
  require(header.write(output, META_HEADER_DEFAULT_TRANSFERSYNTAX, EET_ExplicitLength, nullptr));
  header.transferEnd();
  bytes = 0;
}

void ReceivedFile::close() {
  if (descriptor < 0) return;
  // A file system may tell of a full disk only here.
  if (::close(descriptor) != 0 && errno != EINTR && fault == 0) fault = errno;
  descriptor = -1;
}

}  // namespace cdicom
