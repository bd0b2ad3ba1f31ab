import ArgumentParser
import MedicalImaging

/// The memory option of verbs that read files of any size.
struct MemoryOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Largest memory for one volume, in GB; a larger volume is refused before it is read. (default: the machine's)",
      valueName: "GB"))
  var memory: Double?

  func validate() throws {
    if let memory, !(memory > 0) {
      throw ValidationError("--memory \(memory): expected a number of gigabytes above 0.")
    }
  }

  func apply() { VolumeMemory.limit(toGigabytes: memory) }
}
