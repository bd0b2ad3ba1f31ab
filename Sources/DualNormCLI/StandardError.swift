import Foundation

/// Messages go to standard error, so that standard output holds results only.
func printError(_ message: String, terminator: String = "\n") {
  // Where nobody can be told, as behind a closed pipe, the work goes on.
  try? FileHandle.standardError.write(contentsOf: Data((message + terminator).utf8))
}
