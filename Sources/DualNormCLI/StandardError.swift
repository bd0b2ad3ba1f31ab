import Foundation

/// Prints a message on standard error, so that standard output holds results only.
func printError(_ message: String, terminator: String = "\n") {
  // Work continues even if nobody can read the message, as behind a closed pipe.
  try? FileHandle.standardError.write(contentsOf: Data((message + terminator).utf8))
}
