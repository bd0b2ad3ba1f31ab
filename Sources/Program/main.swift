import DualNormCLI

runProgram(Array(CommandLine.arguments.dropFirst()))
