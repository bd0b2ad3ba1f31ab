import Basics
import Testing
import Torch

@Suite struct UsageTests {
  @Test(arguments: [
    "demo", "prepare", "check", "train", "evaluate", "predict", "score", "experiment", "report", "import", "info",
    "phantom",
  ])
  func everyVerbExplainsItself(verb: String) throws {
    let (status, message) = endInThisProcess([verb, "--help"])
    #expect(status == 0)
    #expect(message.hasPrefix("OVERVIEW: "))
    #expect(message.contains("\nUSAGE: dualnorm \(verb) "))
    #expect(endInThisProcess(["--help"]).message.contains("\n  \(verb) "))
  }

  @Test func helpAndVersionGoToStandardOutput() throws {
    let help = try dualnorm("train", "--help")
    #expect(help.status == 0 && help.errors == "" && help.output.hasPrefix("OVERVIEW: "))
    let result = try dualnorm("--version")
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output == "dualnorm \(programVersion) (commit unknown, LibTorch \(LibTorch.version))\n")
  }

  @Test(arguments: [
    ("Missing expected argument '--output <dir>' (or '--resume <run>')", ["train", "--data", "DATA"]),
    ("Missing expected argument '--data <dir>'", ["train", "--output", "RUN"]),
    (
      "--resume takes data and output from the run; leave --data and --output out.",
      ["train", "--resume", "RUN", "--data", "DATA"]
    ),
    (
      "--resume takes all options but --iterations from the run; leave the others out.",
      ["train", "--resume", "RUN", "--width", "8"]
    ),
    ("The value 'wide' is invalid for '--width <width>'", ["train", "--width", "wide"]),
    ("Missing expected argument '--input <file|dir> ...'", ["predict", "--model", "RUN", "--output", "MASKS"]),
    ("Missing expected argument '--output <file|dir>'", ["predict", "--model", "RUN", "--input", "SCANS"]),
    ("Missing expected argument '--output <dir>'", ["evaluate", "--model", "RUN", "--data", "DATA"]),
    (
      "--tolerance 1,1: tolerances are different lengths from 0 mm on, such as 0,1,2.",
      ["evaluate", "--model", "RUN", "--data", "DATA", "--output", "OUT", "--tolerance", "1,1"]
    ),
    ("Missing expected argument '<file>'", ["import", "--output", "RUN"]),
    ("Missing expected argument '<run|file>'", ["info"]),
    ("--cases is 2 to 200, not 1.", ["demo", "--cases", "1"]),
  ])
  func wrongUsage(message: String, arguments: [String]) throws {
    try expectRefusal(message, status: 64, of: arguments)
  }

  /// One refusal in its own process; the other tests run theirs in this process.
  @Test func refusalsGoToStandardError() throws {
    let usage = try dualnorm("train", "--output", "RUN")
    #expect(usage.status == 64 && usage.output == "")
    #expect(
      usage.errors.hasPrefix("Error: Missing expected argument '--data <dir>'\nUsage: dualnorm train <options>\n"))
    let input = try dualnorm("info", "/no/such")
    #expect(input.status == 1 && input.output == "")
    #expect(input.errors == "Error: /no/such: there is no such file or folder; check the path.\n")
  }
}
