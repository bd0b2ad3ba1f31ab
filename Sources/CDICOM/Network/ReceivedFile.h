// The file of an image that is being received.
#pragma once

#include "../Support.h"

#include <dcmtk/dcmdata/dcostrma.h>

#include <string>

namespace cdicom {

/// A new file with a meta header, in which DCMTK writes what comes.
///
/// DCMTK notices neither a fault of its last bytes nor one at the file's end. Here each byte is taken, and the file has a
/// fault or is whole.
class ReceivedFile : private DcmConsumer {
 public:
  /// The path; empty for an image that is only passed over.
  std::string path;
  /// The number of the system's error; 0 as long as there is none.
  int fault = 0;
  /// More came than an image may have.
  bool is_too_large = false;
  /// The size of the data set.
  int64_t bytes = 0;

  /// Passes an image over.
  explicit ReceivedFile(int64_t most_bytes);
  /// Makes a file of a new name in a folder.
  ReceivedFile(int64_t most_bytes, const std::string &folder);
  /// Removes the file, unless somebody has moved it away.
  ~ReceivedFile() override;

  void write_header(
      const char *sop_class, const char *instance, const char *syntax, const std::string &source_title);
  /// Takes the data set.
  DcmOutputStream &stream() { return output; }
  /// Ends the file.
  void close();

 private:
  struct Stream : DcmOutputStream {
    explicit Stream(DcmConsumer *consumer) : DcmOutputStream(consumer) {}
  };

  int descriptor = -1;
  const int64_t most_bytes;
  Stream output;

  void put(const char *data, size_t count);

  OFBool good() const override { return OFTrue; }
  OFCondition status() const override { return EC_Normal; }
  OFBool isFlushed() const override { return OFTrue; }
  offile_off_t avail() const override { return 1 << 30; }
  offile_off_t write(const void *data, offile_off_t count) override;
  void flush() override {}
};

}  // namespace cdicom
