import Foundation

/// The contents of a regular file; nil where there is none, or it cannot be read. Pipes and devices, which may never end, are
/// none.
public func contents(ofRegularFile url: URL) -> Data? {
  let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
  do { return try file.readToEnd() ?? Data() } catch { return nil }
}

/// Whether a path cannot be looked at since a folder on the way may not be entered, so that nobody knows if it is there.
public func mayNotBeReached(_ url: URL) -> Bool {
  var status = stat()
  return stat(url.path, &status) != 0 && errno == EACCES
}
