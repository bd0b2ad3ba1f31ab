import Basics
import Testing
import Torch

@testable import DualNorm

@Suite struct DeviceTests {
  @Test func choicesAreWrittenAsTheyAreRead() {
    for text in ["cpu", "auto", "cuda:0", "cuda:3"] { #expect(DeviceChoice(rawValue: text)?.rawValue == text) }
    #expect(DeviceChoice(rawValue: "cuda") == .cuda(0))
    for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:99999999999999999999", "CPU", "cuda:1024"] {
      #expect(DeviceChoice(rawValue: text) == nil, "\(text)")
    }
  }

  @Test func theCPUIsAlwaysThere() throws {
    #expect(try DeviceChoice.cpu.resolved() == .cpu)
    let auto = try DeviceChoice.auto.resolved()
    #expect(auto == (LibTorch.gpuCount > 0 ? .cuda(0) : .cpu))
  }

  @Test(.enabled(if: (try? DeviceChoice.auto.resolved()) == .cpu, "this machine has a GPU"))
  func withoutAGPUThereIsAReason() {
    let own = Wording.current
    defer { Wording.current = own }
    Wording.current = Wording(setting: own.setting, verb: own.verb, cudaRemedy: "find the library")
    #expect {
      try DeviceChoice.cuda(0).resolved()
    } throws: { error in
      let sentence = "\(error)"
      let remedy = LibTorch.loadCUDA() == nil ? "nvidia-smi lists one" : "find the library"
      return sentence.hasPrefix("--device is cuda:0, and LibTorch")
        && sentence.hasSuffix("\(remedy), or give --device cpu.")
    }
  }
}
