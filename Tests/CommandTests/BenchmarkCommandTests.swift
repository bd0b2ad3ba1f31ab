import Testing

@Suite struct BenchmarkCommandTests {
  private let tiny = ["benchmark", "--width", "4", "--batch-size", "1", "--repetitions", "1", "--threads", "1"]

  @Test func itTimesEachTask() throws {
    let result = try dualnorm(tiny + ["--size", "32,48"])
    #expect(result.status == 0 && result.errors == "")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(["float32", "bfloat16"].contains(lines[0].dropFirst(32)) && lines[0].hasPrefix("precision"))
    let titles = [
      "training step", "prediction of a batch", "convolution of half the size", "augmenting a batch, 1 thread",
    ]
    for (line, title) in zip(lines.dropFirst(), titles) {
      #expect(line.hasPrefix(title))
      let seconds = line.dropFirst(32).dropLast(2)
      #expect(line.hasSuffix(" s") && (Double(seconds) ?? -1) >= 0, "\(line)")
    }
    #expect(lines[5].hasPrefix("peak memory") && lines[5].hasSuffix(" MiB"))
  }

  @Test func threadsThatNoMachineHas() throws {
    for threads in ["0", "100000"] {
      let result = try dualnorm(tiny.dropLast(2) + ["--size", "32,32", "--threads", threads])
      #expect(result.status == 1)
      #expect(result.errors.contains(threads) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
  }

  @Test func sizesThatNoNetworkTakes() throws {
    for size in ["100,100", "64", "0,16", "4,16,16", "16,16,16,16"] {
      let result = try dualnorm(tiny + ["--size", size])
      #expect(result.status == 64)
      #expect(result.errors.contains("--size wants height and width, multiples of 16, such as 384,384, or depth"))
    }
  }
}
