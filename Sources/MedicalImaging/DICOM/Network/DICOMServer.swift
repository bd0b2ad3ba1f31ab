import Basics
import CDICOM
package import Foundation

/// A DICOM server (PACS), as this program calls it.
package struct DICOMServer: Sendable {
  package let address: DICOMAddress
  /// The title that this program gives itself, which many servers must know.
  package let ownTitle: String
  package static let usualTitle = "DUALNORM"

  /// Seconds to wait for a connection, and then for the server's next byte.
  static let timeouts = (connecting: 10, answering: 60)

  /// The most that a server may send: images, and bytes of one.
  static let bounds = (images: 50_000, imageBytes: 1 << 29)

  /// Takes how many images are done, and of how many, which is 0 while unknown; false stops the transfer.
  ///
  /// It is called at each step and, while nothing comes, five times a second.
  package typealias Watcher = (_ done: Int, _ total: Int) -> Bool

  /// - Throws: `Refusal` unless the title is one.
  package init(_ address: DICOMAddress, ownTitle: String = usualTitle) throws {
    guard let title = DICOMAddress.title(ownTitle) else {
      throw Refusal(.input, "\(Setting.aet) \(ownTitle)", DICOMAddress.aboutTitles)
    }
    (self.address, self.ownTitle) = (address, title)
  }

  /// Fetches the address's series into an empty folder, each image in the compression that the server keeps it in.
  ///
  /// The files are named by numbers. After an error, some may be there.
  /// - Precondition: the address has a series.
  /// - Throws: `Refusal` unless all images came.
  package func fetch(into folder: URL, watcher: @escaping Watcher) throws {
    let series = address.series!
    let (outcome, transfer) = run(bytes: freeBytes(of: folder) / 2, watcher) { server, transfer in
      guard let study = address.study else { return cdicom_fetch(&server, nil, series, folder.path, &transfer) }
      return cdicom_fetch(&server, study, series, folder.path, &transfer)
    }
    if let refusal = refusal(of: outcome, transfer, fetching: series, into: folder) { throw refusal }
  }

  /// Stores DICOM files on the server, in the compressions that they have.
  ///
  /// - Throws: `Refusal` at the first file that the server does not take; those before it are stored.
  package func store(_ files: [URL], watcher: @escaping Watcher) throws {
    let (outcome, transfer) = run(bytes: 1 << 30, watcher) { server, transfer in
      withCStrings(files.map(\.path)) { cdicom_store(&server, $0, $0.count, &transfer) }
    }
    if let refusal = refusal(of: outcome, transfer) { throw refusal }
  }

  private func run(
    bytes: Int, _ watcher: @escaping Watcher,
    _ body: (inout CDICOMServer, inout CDICOMTransfer) -> CDICOMOutcome
  ) -> (CDICOMOutcome, CDICOMTransfer) {
    let box = WatcherBox(watcher)
    var transfer = CDICOMTransfer()
    transfer.most_files = Int64(Self.bounds.images)
    transfer.most_file_bytes = Int64(Self.bounds.imageBytes)
    transfer.most_bytes = Int64(bytes)
    transfer.context = Unmanaged.passUnretained(box).toOpaque()
    transfer.goes_on = { context, done, total in
      Unmanaged<WatcherBox>.fromOpaque(context!).takeUnretainedValue().watcher(Int(done), Int(total))
    }
    let outcome = withCStrings([address.host, address.title, ownTitle]) { texts in
      var server = CDICOMServer(
        host: texts[0], title: texts[1], own_title: texts[2], port: address.port,
        connecting: Int32(Self.timeouts.connecting), answering: Int32(Self.timeouts.answering))
      return withExtendedLifetime(box) { body(&server, &transfer) }
    }
    return (outcome, transfer)
  }

  private func freeBytes(of folder: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max
  }
}

/// A watcher as an object that a pointer can refer to.
private final class WatcherBox {
  let watcher: DICOMServer.Watcher

  init(_ watcher: @escaping DICOMServer.Watcher) { self.watcher = watcher }
}
