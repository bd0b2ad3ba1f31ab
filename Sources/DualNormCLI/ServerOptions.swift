import ArgumentParser
import Basics
import DualNorm
import Foundation
import MedicalImaging

/// The options of a command that fetches from DICOM servers or stores there.
struct ServerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also store the DICOM segmentations on this server (C-STORE).", valueName: "dicom://AET@HOST:PORT"))
  var store: String?
  @Option(
    help: ArgumentHelp(
      "The title by which the program calls DICOM servers. (default: \(DICOMServer.usualTitle))", valueName: "title"))
  var aet: String?

  /// Checks the options that concern servers, before anything else is done.
  ///
  /// - Parameter writesDICOM: whether masks are DICOM segmentations.
  /// - Throws: `ValidationError` for a malformed address, or for options that contradict each other.
  func check(input: [String], series: [String], writesDICOM: Bool) throws {
    let addresses = input.filter(DICOMAddress.isMeant)
    do {
      for address in addresses { try requireSeries(of: server(address), address) }
      if let store { try requireNoSeries(of: server(store), store) }
    } catch let refusal as Refusal {
      throw ValidationError("\(refusal)")
    }
    guard addresses.isEmpty || addresses.count == input.count else {
      throw ValidationError("--input names both files and series of a server; give all as one of the two.")
    }
    guard addresses.isEmpty || series.isEmpty else {
      throw ValidationError("--series chooses a series of a folder, and --input names the series; leave --series out.")
    }
    guard store == nil || writesDICOM else {
      throw ValidationError("--store sends DICOM segmentations; name the output .dcm, or give --format dicom.")
    }
    guard aet == nil || store != nil || !addresses.isEmpty else {
      throw ValidationError("--aet is a title for DICOM servers, and no option names one; leave --aet out.")
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

  private func server(_ address: String) throws -> DICOMServer {
    try DICOMServer(DICOMAddress(address), ownTitle: aet ?? DICOMServer.usualTitle)
  }

  private func requireSeries(of server: DICOMServer, _ address: String) throws {
    guard server.address.series == nil else { return }
    throw Refusal(
      .input, address, "names no series", remedy: "give its Series Instance UID after the port: HOST:PORT/SERIES")
  }

  private func requireNoSeries(of server: DICOMServer, _ address: String) throws {
    guard server.address.series != nil else { return }
    throw Refusal(.input, "--store \(address)", "names a series", remedy: "give the server alone")
  }

  /// Checks the number of series before any is fetched.
  ///
  /// - Throws: `Refusal` unless there is one for each modality.
  func requireModalities(of model: ModelDescription, _ input: [String]) throws {
    guard input.contains(where: DICOMAddress.isMeant), input.count != model.modalities.count else { return }
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
    guard input.contains(where: DICOMAddress.isMeant) else {
      return PredictionInputs(urls: input.map { URL(fileURLWithPath: $0) }, series: series, folder: nil)
    }
    // The next process removes it where this one is killed.
    let folder = try PartialPath(folder: FileManager.default.temporaryDirectory.appendingPathComponent("series"))
    folder.setMode(0o700)
    let servers = try input.map(server)
    let urls = try servers.enumerated().map { index, server in
      try fetch(from: server, into: folder.url.appendingPathComponent("\(index + 1)"), quiet: quiet)
    }
    return PredictionInputs(urls: urls, series: servers.map { $0.address.series! }, folder: folder)
  }

  /// Fetches a series into a folder with its UID as its name, which names the mask too.
  private func fetch(from server: DICOMServer, into folder: URL, quiet: Bool) throws -> URL {
    let folder = folder.appendingPathComponent(server.address.series!)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
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
