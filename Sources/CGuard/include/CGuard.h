#pragma once

#include <exception>
#include <string>

/// The guard around every C function of the shims: no C++ exception reaches Swift.
///
/// A shim names its library by a `Library` type with two members:
/// - `Scope` lives while a guarded body runs;
/// - `static std::string message(const std::exception &)` reads the library's own kind of exception.
namespace cguard {

/// The message of the last failure on this thread, one for each library.
template <typename Library>
inline thread_local std::string last_error;

template <typename Library>
void keep_error(const std::exception *error) noexcept {
  try {
    last_error<Library> = error ? Library::message(*error) : "an unknown C++ exception";
  } catch (...) {
    last_error<Library>.clear();  // There is no memory for a message.
  }
}

/// Runs `body` and returns its result. After an exception, keeps its message and returns `failure`.
template <typename Library, typename Result, typename Body>
Result run(Result failure, Body &&body) noexcept {
  try {
    [[maybe_unused]] const typename Library::Scope scope;
    return body();
  } catch (const std::exception &error) {
    keep_error<Library>(&error);
  } catch (...) {
    keep_error<Library>(nullptr);
  }
  return failure;
}

/// The `Scope` of a library that needs none.
struct NoScope {};

}  // namespace cguard
