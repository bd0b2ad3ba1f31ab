import Basics
import CDICOM
package import Foundation

/// A DICOM server (PACS), as this program calls it.
package struct DICOMServer: SeriesServer {
  package let address: DICOMAddress
  /// The title that this program gives itself, which many servers must know.
  package let ownTitle: String
  package static let usualTitle = "DUALNORM"

  static let limits = TransferLimits()

  package var name: String { address.server }
  package var series: String? { address.series }

  /// - Throws: `Refusal` unless the title is one.
  package init(_ address: DICOMAddress, ownTitle: String = usualTitle) throws {
    (self.address, self.ownTitle) = (address, try Self.requireTitle(ownTitle))
  }

  /// A title of this program without the spaces around it.
  ///
  /// - Throws: `Refusal` unless it is one.
  package static func requireTitle(_ text: String) throws -> String {
    guard let title = DICOMAddress.title(text) else {
      throw Refusal(.input, "\(Setting.aet) \(text)", DICOMAddress.aboutTitles)
    }
    return title
  }

  /// Fetches through C-FIND and C-GET.
  package func fetch(into folder: URL, watcher: @escaping TransferWatcher) throws {
    let series = address.series!
    let (outcome, transfer) = run(bytes: Self.limits.seriesBytes(in: folder), watcher) { server, transfer in
      guard let study = address.study else { return cdicom_fetch(&server, nil, series, folder.path, &transfer) }
      return cdicom_fetch(&server, study, series, folder.path, &transfer)
    }
    if let refusal = refusal(of: outcome, transfer, fetching: series, into: folder) { throw refusal }
  }

  /// Stores through C-STORE.
  package func store(_ files: [URL], watcher: @escaping TransferWatcher) throws {
    let (outcome, transfer) = run(bytes: 1 << 30, watcher) { server, transfer in
      withCStrings(files.map(\.path)) { cdicom_store(&server, $0, $0.count, &transfer) }
    }
    if let refusal = refusal(of: outcome, transfer) { throw refusal }
  }

  private func run(
    bytes: Int, _ watcher: @escaping TransferWatcher,
    _ body: (inout CDICOMServer, inout CDICOMTransfer) -> CDICOMOutcome
  ) -> (CDICOMOutcome, CDICOMTransfer) {
    let box = WatcherBox(watcher)
    var transfer = CDICOMTransfer()
    transfer.most_files = Int64(Self.limits.images)
    transfer.most_file_bytes = Int64(Self.limits.imageBytes)
    transfer.most_bytes = Int64(bytes)
    transfer.context = Unmanaged.passUnretained(box).toOpaque()
    transfer.goes_on = { context, done, total in
      Unmanaged<WatcherBox>.fromOpaque(context!).takeUnretainedValue().watcher(Int(done), Int(total))
    }
    let outcome = withCStrings([address.host, address.title, ownTitle]) { texts in
      var server = CDICOMServer(
        host: texts[0], title: texts[1], own_title: texts[2], port: address.port,
        connecting: Int32(Self.limits.connecting), answering: Int32(Self.limits.answering))
      return withExtendedLifetime(box) { body(&server, &transfer) }
    }
    return (outcome, transfer)
  }
}

/// A watcher as an object that a pointer can refer to.
private final class WatcherBox {
  let watcher: TransferWatcher

  init(_ watcher: @escaping TransferWatcher) { self.watcher = watcher }
}
