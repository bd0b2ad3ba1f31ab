import Foundation

/// Messages go to standard error, so that standard output holds results only.
func printError(_ message: String, terminator: String = "\n") {
  FileHandle.standardError.write(Data((message + terminator).utf8))
}
