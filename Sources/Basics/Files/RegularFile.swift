package import Foundation

/// Tells whether a path is a regular file or a link to one.
package func isRegularFile(_ url: URL) -> Bool {
  var status = stat()
  return stat(url.path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

/// Reads a regular file; nil if it is missing or cannot be read.
///
/// Pipes and devices, which may never end, also give nil.
package func contents(ofRegularFile url: URL) -> Data? {
  let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
  do { return try file.readToEnd() ?? Data() } catch { return nil }
}
