import ArgumentParser
import Basics
import DualNorm
import Foundation
import MedicalImaging
import Serving
import Torch

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve models to 3D Slicer, OHIF and browsers; labels that come back are saved for training.",
    discussion: """
      Examples: dualnorm serve RUN
                dualnorm serve RUN OTHER-RUN --data SCANS
                dualnorm serve RUN --listen 0.0.0.0:8000 --token TOKEN-FILE

      The address in a browser shows a page that segments what is dropped on it, and says what to enter in 3D Slicer. \
      Slicer's and OHIF's plugins for MONAI Label find each pass as a model. With --data, they get the next case to label, \
      and labels are saved beside their images, as train takes them. Only this machine reaches the server, unless \
      --listen names another address, which needs --token. Ctrl-C or SIGTERM ends it after the requests at hand. \
      docs/serving.md has more.
      """)

  @Argument(help: ArgumentHelp("Run folders, or folders of ensembles.", valueName: "run"), completion: .directory)
  var model: [String]
  @Option(
    help: ArgumentHelp(
      "The folder of images to be labelled: folders of sites, or one folder of images.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(
    help: ArgumentHelp("The address and the port to listen on; port 0 takes a free one.", valueName: "host:port"))
  var listen = "127.0.0.1:8000"
  @Option(
    help: ArgumentHelp(
      "A file with the secret that requests must carry, readable by its owner alone.", valueName: "file"),
    completion: .file())
  var token: String?
  @Option(
    help: ArgumentHelp(
      "Another site whose pages may use the server, such as a viewer's; once for each.", valueName: "url"))
  var allowOrigin: [String] = []
  @Option(help: ArgumentHelp("The largest request, in GB.", valueName: "GB")) var maxUpload = 4.0
  @Option(help: ArgumentHelp("Minutes for which uploads and results are kept.", valueName: "minutes")) var keep = 30
  @Option(help: ArgumentHelp("The most segmentations that wait; more are told to come again.", valueName: "number"))
  var queue = 256
  @Option(help: ArgumentHelp("Seed of the strategies that draw cases.", valueName: "number")) var seed: UInt64 = 0
  @Flag(help: "Also segment every image mirrored, along the axes that training mirrored, and take the mean.")
  var mirror = false
  @OptionGroup var components: LargestComponentOption
  @OptionGroup var windows: OverlapOption
  @Option(help: "Convolutions in float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func validate() throws {
    _ = try ListenAddress(listen)
    guard (0.001...1000).contains(maxUpload) else {
      throw ValidationError("--max-upload \(maxUpload): expected gigabytes from 0.001 to 1000, such as 4.")
    }
    guard (1...10_080).contains(keep) else {
      throw ValidationError("--keep \(keep): expected minutes from 1 to 10080, such as 30.")
    }
    guard (1...100_000).contains(queue) else {
      throw ValidationError("--queue \(queue): expected a number from 1 to 100000, such as 256.")
    }
    for origin in allowOrigin where origin.wholeMatch(of: /https?:\/\/[A-Za-z0-9.\-]+(:\d{1,5})?/) == nil {
      throw ValidationError(
        "--allow-origin \(origin): expected a scheme and a host without a path, such as https://viewer.example.")
    }
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    raiseLimitOfOpenFiles()
    volumes.apply()
    try requireThreads(threads)
    let device = try device.resolved()
    if let warning = device.warning { Messages.say(warning) }
    let folders = try model.map { try ModelsOption.runs(in: URL(fileURLWithPath: $0)) }
    let names = try names()
    let address = try ListenAddress(listen)
    let settings = try settings(address)
    try settings.requireSafe()
    let end = try waiting { [mirror, precision, threads, overlap = windows.overlap] in
      var models: [ServedModel] = []
      for (name, runs) in zip(names, folders) {
        let service = try await PredictionService(
          contentsOf: runs, mirrors: mirror, precision: precision, device: device, threads: threads, overlap: overlap)
        models.append(try ServedModel(name: name, service: service))
      }
      let server = try SegmentationServer(models, settings)
      return try await server.run(
        started: { port in
          Messages.show(
            "Serving \(listed(names)) on http://\(address.text(port: port)) "
              + (settings.token == nil ? "for this machine" : "for holders of the token") + "; Ctrl-C ends it.")
        }, shouldEnd: Interruption.requested)
    }
    let cut = [
      end.jobs > 0 ? "\(counted(end.jobs, "segmentation")) of the page did not finish" : nil,
      end.cutsConnections ? "connections that did not end were closed" : nil,
    ].compactMap { $0 }
    Messages.say("Ended; \(cut.isEmpty ? "no request was cut off" : cut.joined(separator: ", and ")).")
  }

  private func settings(_ address: ListenAddress) throws -> ServerSettings {
    var settings = ServerSettings()
    (settings.host, settings.port) = (address.host, address.port)
    settings.token = try token.map { try readToken(URL(fileURLWithPath: $0)) }
    settings.origins = allowOrigin.map(Self.normalized)
    settings.data = data.map { URL(fileURLWithPath: $0) }
    settings.seed = seed
    settings.largestComponent = components.choice
    settings.report = { Messages.show($0) }
    settings.limits.bytes = Int(maxUpload * 1e9)
    settings.limits.keepSeconds = keep * 60
    settings.limits.waiting = queue
    if messages.verbose { settings.log = { Messages.say($0) } }
    return settings
  }

  /// An origin as browsers write it: in lower case, and without the scheme's own port.
  private static func normalized(_ origin: String) -> String {
    let origin = origin.lowercased()
    let port = origin.hasPrefix("https:") ? ":443" : ":80"
    return origin.hasSuffix(port) ? String(origin.dropLast(port.count)) : origin
  }

  /// Names for clients: the folders' own, which differ.
  ///
  /// - Throws: `Refusal` for two folders of one name.
  private func names() throws -> [String] {
    let names = model.map { URL(fileURLWithPath: $0).standardizedFileURL.lastPathComponent }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw Refusal(
        .input, twice, "is the name of two models, by which clients tell them apart",
        remedy: "rename one of the folders")
    }
    return names
  }
}
