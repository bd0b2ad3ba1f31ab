import CCommandServer
import DualNormCLI

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "short-limits" {
  serveWithShortLimits(CommandLine.arguments[2])
}

// `make man` asks every program of the package for its help.
if CommandLine.arguments.count > 1 { runProgram(Array(CommandLine.arguments.dropFirst())) }

// Runs commands of the tests in forked processes. LibTorch registers its operators once, before them; that takes most of
// the time of a short command.
command_serve { @Sendable count, words in
  runProgram((0..<Int(count)).map { String(cString: words![$0]!) })
}
