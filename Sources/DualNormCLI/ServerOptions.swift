import ArgumentParser
import Basics
import DualNorm
import Foundation
import MedicalImaging

/// The options of a command that fetches from DICOM servers or stores there.
struct ServerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also store the DICOM segmentations on this server, dicom://AET@HOST:PORT or dicomweb+https://HOST/PATH.",
      valueName: "address"))
  var store: String?
  @Option(
    help: ArgumentHelp(
      "The program's own title to DICOM servers and devices. (default: \(DICOMServer.usualTitle))",
      valueName: "title"))
  var aet: String?
  @Option(
    help: ArgumentHelp(
      "A file of one line for a DICOMweb server, USER:PASSWORD or Bearer TOKEN, that only its owner may read.",
      valueName: "file"), completion: .file())
  var credentials: String?
  @Option(
    help: ArgumentHelp(
      "A PEM file of the authorities to trust for a DICOMweb server. (default: this machine's)", valueName: "file"),
    completion: .file())
  var ca: String?

  /// Checks the options that concern servers, before anything else is done.
  ///
  /// - Parameter writesDICOM: whether masks are DICOM segmentations.
  /// - Throws: `ValidationError` for a malformed address, or for options that contradict each other.
  func check(input: [String], series: [String], writesDICOM: Bool) throws {
    let words = input.filter(ServerAddress.isMeant)
    var addresses: [ServerAddress] = []
    do {
      for word in input { try requireNoURL(word) }
      for word in words { addresses.append(try addressOfSeries(word)) }
      if let store { addresses.append(try addressOfServer(store)) }
      try requireAddresses(addresses)
    } catch let refusal as Refusal {
      throw ValidationError("\(refusal)")
    }
    guard words.isEmpty || words.count == input.count else {
      throw ValidationError("--input names both files and series of a server; give all as one of the two.")
    }
    guard words.isEmpty || series.isEmpty else {
      throw ValidationError("--series chooses a series of a folder, and --input names the series; leave --series out.")
    }
    guard store == nil || writesDICOM else {
      throw ValidationError("--store sends DICOM segmentations; name the output .dcm, or give --format dicom.")
    }
  }

  /// Stores the masks that were written; does nothing without `--store`.
  ///
  /// - Throws: `Refusal` that says that the masks stay; `ExitCode` after Ctrl-C.
  func store(_ masks: [URL]) throws {
    guard let store, !masks.isEmpty else { return }
    do {
      try server(store).store(masks) { _, _ in !Interruption.isRequested }
    } catch let refusal as Refusal {
      let stay = masks.count == 1 ? "The mask \(masks[0].path) stays." : "The \(masks.count) masks stay in their files."
      throw Interruption.isRequested ? stopped("not all masks are stored") : refusal.followed(by: stay)
    }
    Messages.say("\(counted(masks.count, "mask")) stored on \(store).")
  }

  /// The program's own title.
  var ownTitle: String { aet ?? DICOMServer.usualTitle }

  /// - Throws: `Refusal` for a file of credentials that cannot be used.
  func server(_ word: String) throws -> any SeriesServer {
    switch try ServerAddress(word) {
    case .dicom(let address): return try DICOMServer(address, ownTitle: ownTitle)
    case .web(let address):
      let server = DICOMwebServer(
        address, credentials: try credentials.map { try ServerCredentials(contentsOf: URL(fileURLWithPath: $0)) },
        authorities: ca.map { URL(fileURLWithPath: $0) })
      if let warning = server.warning { Warnings.report(warning) }
      return server
    }
  }

  private func requireNoURL(_ word: String) throws {
    guard word.hasPrefix("http://") || word.hasPrefix("https://") else { return }
    throw Refusal(
      .input, "--input names a URL", remedy: "give a series as dicomweb+https://HOST/PATH/studies/STUDY/series/SERIES")
  }

  private func addressOfSeries(_ word: String) throws -> ServerAddress {
    let address = try ServerAddress(word)
    guard address.series == nil else { return address }
    throw Refusal(.input, word, "names no series", remedy: "give \(address.formOfSeries)")
  }

  /// - Parameter place: words before the address in messages.
  /// - Throws: `Refusal` unless it names a server alone.
  func addressOfServer(_ word: String, after place: String = "--store") throws -> ServerAddress {
    let address = try ServerAddress(word)
    guard address.study != nil || address.series != nil else { return address }
    throw Refusal(
      .input, "\(place) \(word)", "names a \(address.series == nil ? "study" : "series")",
      remedy: "give the server alone")
  }

  /// Checks the options of servers against the addresses.
  private func requireAddresses(_ addresses: [ServerAddress]) throws {
    if let aet {
      _ = try DICOMServer.requireTitle(aet)
      guard addresses.contains(where: { $0.web == nil }) else {
        throw Refusal(
          .input, "--aet is a title for dicom:// servers, and no option names one", remedy: "leave --aet out")
      }
    }
    try requireCredentials(for: addresses)
  }

  /// Checks the options of DICOMweb servers against the addresses.
  func requireCredentials(for addresses: [ServerAddress]) throws {
    let web = addresses.compactMap(\.web)
    if credentials != nil {
      guard !web.isEmpty else {
        throw Refusal(
          .input, "--credentials are for DICOMweb servers, and no option names one", remedy: "leave --credentials out")
      }
      // A password must not reach another server than its own.
      guard Set(web.map(\.server)).count == 1 else {
        throw Refusal(
          .input, "--credentials are for one server, and the addresses name several",
          remedy: "use one command for each")
      }
    }
    guard ca == nil || web.contains(where: \.isEncrypted) else {
      throw Refusal(
        .input, "--ca is for servers at dicomweb+https://, and no option names one", remedy: "leave --ca out")
    }
  }

  /// Checks the number of series before any is fetched.
  ///
  /// - Throws: `Refusal` unless there is one for each modality.
  func requireModalities(of model: ModelDescription, _ input: [String]) throws {
    guard input.contains(where: ServerAddress.isMeant), input.count != model.modalities.count else { return }
    throw Refusal(
      .input,
      "--input names \(counted(input.count, "series", plural: "series")), and the model takes "
        + "\(counted(model.modalities.count, "modality", plural: "modalities")) (\(listed(model.modalities, atMost: 8)))",
      remedy: "give a series for each modality")
  }

  /// The inputs as paths. Series of servers are fetched.
  ///
  /// - Throws: `Refusal` unless all of a series came; `ExitCode` after Ctrl-C.
  func inputs(_ input: [String], series: [String], quiet: Bool) throws -> PredictionInputs {
    // Files of credentials are refused before hours of work.
    if let store { _ = try server(store) }
    guard input.contains(where: ServerAddress.isMeant) else {
      return PredictionInputs(urls: input.map { URL(fileURLWithPath: $0) }, series: series, folder: nil)
    }
    // The next process removes it where this one is killed.
    let folder = try PartialPath(folder: FileManager.default.temporaryDirectory.appendingPathComponent("series"))
    folder.setMode(0o700)
    let servers = try input.map(server)
    let urls = try servers.enumerated().map { index, server in
      try fetch(from: server, input[index], into: folder.url.appendingPathComponent("\(index + 1)"), quiet: quiet)
    }
    return PredictionInputs(urls: urls, series: servers.map { $0.series! }, folder: folder)
  }

  /// Fetches a series into a folder with its UID as its name, which names the mask too.
  private func fetch(from server: any SeriesServer, _ address: String, into folder: URL, quiet: Bool) throws -> URL {
    let folder = folder.appendingPathComponent(server.series!)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // The folder is gone when a message is read.
    PathNames.give(FileManager.default.temporaryDirectory.path, to: folder)
    let progress = ThreadSafeProgress("images", quiet: quiet)
    defer { progress.end() }
    do {
      try server.fetch(into: folder) { done, total in
        if total > 0 { progress.update(done, of: total) }
        return !Interruption.isRequested
      }
    } catch {
      progress.end()
      throw Interruption.isRequested ? stopped("nothing is segmented") : error
    }
    PathNames.give(address, to: folder)
    try server.requireSeries(in: folder)
    return folder
  }
}

/// The inputs of a prediction as paths.
struct PredictionInputs {
  let urls: [URL]
  /// The chosen series of each, or empty.
  let series: [String]
  /// The temporary folder of fetched series, which goes with this value.
  let folder: PartialPath?
}
