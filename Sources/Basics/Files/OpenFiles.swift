import Foundation

/// Allows this process as many open files and connections as its hard limit does.
///
/// The usual soft limit of 1,024 is below what a server with many clients needs.
package func raiseLimitOfOpenFiles() {
  #if os(Linux)
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    let files = RLIMIT_NOFILE
  #endif
  var limit = rlimit()
  guard getrlimit(files, &limit) == 0 else { return }
  // macOS takes no more than this, whatever its hard limit says.
  limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 10_240))
  _ = setrlimit(files, &limit)
}
