import ArgumentParser
import Basics
import DualNorm
import Foundation
import MedicalImaging
import Torch
import Watching

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Take DICOM series as they come, segment those that rules name, and store the segmentations.",
    discussion: """
      Examples: dualnorm watch QUEUE --model RUN --match Modality=MR --store dicom://PACS@HOST:104
                dualnorm watch QUEUE --rules rules.yaml --listen 0.0.0.0:11112 --from SCANNER

      Scanners and PACS send images to it by C-STORE. A series without a new image for --stable-age seconds counts as \
      whole. The first rule that takes it names its model, and the server that gets the segmentation. The folder QUEUE \
      keeps all that is not done, whatever ends the program or the server. Only this machine reaches the program, unless \
      --listen names another address. Ctrl-C or SIGTERM ends it. docs/pacs.md has more.
      """)

  @Argument(
    help: ArgumentHelp("The folder of the series that came, new or of an earlier watch.", valueName: "dir"),
    completion: .directory)
  var queue: String
  @Option(
    help: ArgumentHelp("A YAML file of rules, in place of --model, --match and --store.", valueName: "file"),
    completion: .file())
  var rules: String?
  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp("The run folder of the model; several are an ensemble.", valueName: "run"),
    completion: .directory)
  var model: [String] = []
  @Option(
    help: ArgumentHelp(
      "Take series alone whose element fits a pattern, as Modality=MR or SeriesDescription=*t2*; once for each.",
      valueName: "keyword=pattern"))
  var match: [String] = []
  @Option(help: ArgumentHelp("The address and the port to listen on; port 0 takes a free one.", valueName: "host:port"))
  var listen = "127.0.0.1:11112"
  @Option(
    help: ArgumentHelp("A title that may send images; once for each. (default: every title)", valueName: "title"))
  var from: [String] = []
  @Option(help: ArgumentHelp("Seconds without a new image after which a series is whole.", valueName: "seconds"))
  var stableAge = 60.0
  @Option(
    help: ArgumentHelp(
      "Hours for which the images of a finished series stay, for images that come late.", valueName: "hours"))
  var keep = 24.0
  @Flag(help: "Try series again that failed.") var retry = false
  @Flag(help: "Also segment every image mirrored, along the axes that training mirrored, and take the mean.")
  var mirror = false
  @OptionGroup var components: LargestComponentOption
  @OptionGroup var windows: OverlapOption
  @Option(help: "Convolutions in float32, tf32, or bfloat16. (default: as in training)") var precision: Precision?
  @Option(help: ArgumentHelp("Device of the network: cpu, cuda, cuda:1, or auto.", valueName: "device"))
  var device = DeviceChoice.cpu
  @Option(help: "Processor threads. (default: one a core)") var threads: Int?
  @OptionGroup var volumes: MemoryOption
  @OptionGroup(title: "DICOM servers") var servers: ServerOptions
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func validate() throws {
    _ = try ListenAddress(listen)
    guard (0.5...86_400).contains(stableAge) else {
      throw ValidationError("--stable-age \(stableAge): expected seconds from 0.5 to 86400, such as 60.")
    }
    guard (0...8760).contains(keep) else {
      throw ValidationError("--keep \(keep): expected hours from 0 to 8760, such as 24.")
    }
    guard (rules == nil) != model.isEmpty else {
      throw ValidationError(
        rules == nil ? "Give --rules, or --model and --store." : "--rules names the models; leave --model out.")
    }
    guard rules == nil || match.isEmpty && servers.store == nil else {
      throw ValidationError("--rules holds the rules; leave --match and --store out.")
    }
    guard rules != nil || servers.store != nil else {
      throw ValidationError("--model needs --store, the server that gets the segmentations.")
    }
    do {
      for title in from + [servers.ownTitle] { _ = try DICOMServer.requireTitle(title) }
      if rules == nil { try requireServers(of: [try ownRule()]) }
    } catch let refusal as Refusal {
      throw ValidationError("\(refusal)")
    }
  }

  func run() throws {
    Interruption.listen()
    Messages.begin(messages)
    volumes.apply()
    try requireThreads(threads)
    let device = try device.resolved()
    if let warning = device.warning { Messages.say(warning) }
    let address = try ListenAddress(listen)
    let (given, base) = try givenRules()
    try requireServers(of: given)
    if !isLoopback(address.host), from.isEmpty {
      Warnings.report(
        "Every machine that reaches \(listen) can send images; name those that may by --from, and keep others off the port."
      )
    }
    let rules = try self.rules(given, base, device)
    let queue = try SeriesQueue(URL(fileURLWithPath: queue), retries: retry)
    let options = StorageListener.Options(
      title: servers.ownTitle, callers: Set(from), host: address.host, port: address.port)
    let listener = try StorageListener(options, incoming: queue.incoming)
    let watch = SeriesWatch(
      queue, rules, .init(stableAge: stableAge, keep: keep * 3600), report: { Self.show($0) })
    Messages.show(
      "Taking images as \(servers.ownTitle) on \(address.text(port: listener.port)), for "
        + "\(listed(rules.map(\.name), atMost: 8)); \(Self.left(in: queue)); Ctrl-C ends it.")
    try waiting { try await Self.run(watch, listener, queue) }
    Messages.say("Ended; \(Self.left(in: queue)).")
  }

  private static func left(in queue: SeriesQueue) -> String {
    switch queue.count {
    case 0: "nothing waits in \(queue.folder.path)"
    case 1: "1 series waits in \(queue.folder.path)"
    case let count: "\(count) series wait in \(queue.folder.path)"
    }
  }

  /// Listens and works until the command is interrupted, or one of the two fails.
  private static func run(_ watch: SeriesWatch, _ listener: StorageListener, _ queue: SeriesQueue) async throws {
    let end = StopFlag()
    let goesOn: @Sendable () -> Bool = { !Interruption.isRequested && !end.isSet }
    async let network: Void = offPool {
      listener.run(
        goesOn: goesOn, event: { show(.network($0)) }, receive: { queue.take($0) })
    }
    let work = await Task { try await watch.run(goesOn: goesOn) }.result
    end.set()
    try await network
    try work.get()
  }

  private static func show(_ event: WatchEvent) {
    switch event.weight {
    case .detail: if Messages.isVerbose { Messages.say(event.sentence) }
    case .news: Messages.say(event.sentence)
    case .warning: Messages.show(warning: event.sentence)
    case .error: Messages.show(error: event.sentence)
    }
  }
}

/// Rules.
extension WatchCommand {
  /// The only rule, of the options.
  private func ownRule() throws -> RuleFile.Rule {
    var rule = RuleFile.Rule()
    (rule.name, rule.model, rule.store) = ("--model", .init(model), servers.store)
    var conditions: [String: String] = [:]
    for word in match {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw Refusal(.input, "--match \(word)", "has no =", remedy: "give KEYWORD=PATTERN, such as Modality=MR")
      }
      guard conditions.updateValue(parts[1], forKey: parts[0]) == nil else {
        throw Refusal(.input, "--match \(word)", "is the second pattern of \(parts[0])", remedy: "give one for each")
      }
    }
    rule.match = conditions
    do { _ = try rule.conditions } catch let refusal as Refusal { throw refusal.about("--match") }
    return rule
  }

  /// The rules, and the folder that the paths in them start from.
  private func givenRules() throws -> ([RuleFile.Rule], base: URL) {
    guard let rules else { return ([try ownRule()], URL(fileURLWithPath: ".")) }
    let file = URL(fileURLWithPath: rules)
    return (try RuleFile(contentsOf: file).rules, file.deletingLastPathComponent())
  }

  private func requireServers(of rules: [RuleFile.Rule]) throws {
    let addresses = try rules.map { rule in
      try servers.addressOfServer(rule.store!, after: self.rules == nil ? "--store" : "the rule \(rule.name!): store")
    }
    try servers.requireCredentials(for: addresses)
  }

  /// Reads the models of the rules.
  private func rules(_ given: [RuleFile.Rule], _ base: URL, _ device: Device) throws -> [SeriesRule] {
    try given.map { rule in
      let runs = try rule.model!.all.flatMap { try ModelsOption.runs(in: URL(fileURLWithPath: $0, relativeTo: base)) }
      let service = try waiting { [mirror, precision, threads, overlap = windows.overlap] in
        try await PredictionService(
          contentsOf: runs, mirrors: mirror, precision: precision, device: device, threads: threads, overlap: overlap)
      }
      if let site = rule.site {
        do { try service.description.requireSite(site, option: .site) } catch let refusal as Refusal {
          throw refusal.about("the rule \(rule.name!)")
        }
      }
      return try SeriesRule(
        named: rule.name!, conditions: rule.conditions, leastImages: rule.images ?? 1, service,
        SegmentationOptions(site: rule.site, largestComponent: components.choice), server: servers.server(rule.store!))
    }
  }
}

/// A flag that any thread may set and read.
private final class StopFlag: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false  // guarded by `lock`

  var isSet: Bool { lock.withLock { value } }

  func set() { lock.withLock { value = true } }
}
