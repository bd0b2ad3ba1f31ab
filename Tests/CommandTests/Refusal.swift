import ArgumentParser
import Foundation
import Testing

@testable import DualNormCLI

/// Expects a refusal in one sentence: exit code 1 and no other output, or 64 followed by the usage.
///
/// The command runs in this process if possible. That takes milliseconds instead of a third of a second.
func expectRefusal(
  _ sentence: String, status: Int32 = 1, of arguments: [String], _ location: SourceLocation = #_sourceLocation
) throws {
  // These set LibTorch's threads, which in this process would affect parallel tests.
  let needsItsOwn = status == 1 && (["predict", "evaluate"].contains(arguments[0]) || arguments.contains("--resume"))
  let (found, message) = try needsItsOwn ? endInItsOwnProcess(arguments) : endInThisProcess(arguments)
  #expect(found == status, sourceLocation: location)
  let first = status == 64 ? message.prefix { $0 != "\n" } : message[...]
  #expect(first == "Error: \(sentence)", sourceLocation: location)
}

private func endInItsOwnProcess(_ arguments: [String]) throws -> (status: Int32, message: String) {
  let result = try dualnorm(arguments)
  #expect(result.output == "" && result.errors.hasSuffix("\n"))
  return (result.status, String(messagesBesideWarnings(result.errors).dropLast()))
}

/// The exit code and last message of a command that should fail early.
func endInThisProcess(_ arguments: [String]) -> (status: Int32, message: String) {
  do {
    var command = try DualNormCommand.parsed(arguments)
    try command.run()
    return (0, "")
  } catch {
    return DualNormCommand.ending(with: error)
  }
}
