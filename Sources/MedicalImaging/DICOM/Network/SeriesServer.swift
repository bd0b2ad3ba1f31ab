import Basics
package import Foundation

/// A server that keeps series of DICOM files: a PACS by DICOM's own protocol, or one with DICOMweb.
package protocol SeriesServer: Sendable {
  /// The address of the server alone, which messages name.
  var name: String { get }
  /// Series Instance UID of the address; nil for the server itself.
  var series: String? { get }

  /// Fetches the address's series into an empty folder, each image in the compression that the server keeps it in.
  ///
  /// The files are named by numbers. After an error, some may be there.
  /// - Precondition: the address has a series.
  /// - Throws: `Refusal` unless all images came.
  func fetch(into folder: URL, watcher: @escaping TransferWatcher) throws

  /// Stores DICOM files on the server, in the compressions that they have.
  ///
  /// - Throws: `Refusal` at the first file that the server does not take; those before it are stored.
  func store(_ files: [URL], watcher: @escaping TransferWatcher) throws
}

/// Takes how many images are done, and of how many, which is 0 while unknown; false stops the transfer.
///
/// It is called at each step and, while nothing comes, about once a second or more often.
package typealias TransferWatcher = (_ done: Int, _ total: Int) -> Bool

/// Bounds of what a server may send, and of how long it may take.
struct TransferLimits {
  /// Seconds to wait for a connection.
  var connecting = 10
  /// Seconds to wait for the server's next byte.
  var answering = 60
  /// The most images of a series.
  var images = 50_000
  /// The most bytes of an image.
  var imageBytes = 1 << 29
  /// The most bytes of an answer to a search or a store.
  var answerBytes = 1 << 26
  /// The most bytes of a series. The disk's free space bounds it too.
  var seriesBytes = Int.max

  /// The most bytes of a series that a folder should take.
  func seriesBytes(in folder: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return min(seriesBytes, ((attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max) / 2)
  }
}

/// How far a transfer came: files that are done, of a total that is 0 while unknown.
struct TransferProgress {
  var done = 0
  var total = 0

  var words: String { "\(done) of \(total) files" }
}

/// Refusals that all servers share.
extension SeriesServer {
  func refusal(_ found: String, _ remedy: String) -> Refusal { Refusal(.file, name, found, remedy: remedy) }

  func unreachable(_ reason: String) -> Refusal {
    refusal("cannot be reached (\(reason))", "check host and port, and that the server runs")
  }

  func cut(after progress: TransferProgress) -> Refusal {
    refusal("the connection was cut\(progress.total > 0 ? " after \(progress.words)" : "")", "try again")
  }

  func silent(_ limits: TransferLimits) -> Refusal {
    refusal("sent nothing for \(limits.answering) s", "try again later")
  }

  func stopped(after progress: TransferProgress) -> Refusal {
    refusal("the transfer was stopped after \(progress.words)", "start it again")
  }

  var endless: Refusal { refusal("its answers do not end", lookIntoLog) }

  func incomplete(_ progress: TransferProgress) -> Refusal {
    refusal(
      "sent \(progress.done) of \(progress.total) images",
      "look into the server's log; it may hold the others in a compression that is not read")
  }

  func tooLarge(_ limits: TransferLimits, for folder: URL) -> Refusal {
    refusal(
      "has a series of more than \(limits.images) images, \(limits.imageBytes >> 20) MiB an image, or half "
        + "of the free space", "make room on the disk of \(folder.path), or choose another series")
  }

  func unwritable(_ folder: URL) -> Refusal {
    Refusal(
      .file, folder.path, "cannot be written", remedy: "make room on its disk, or set TMPDIR to another folder")
  }

  /// Checks that no file in a folder is of another series than the address's.
  ///
  /// Files that cannot be read are left to the reader, which refuses them.
  /// - Throws: `Refusal` without words of the other series.
  package func requireSeries(in folder: URL) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let found = (try? DICOMFile(folder.appendingPathComponent(name)))?.text(.series)
      guard let found, found != series else { continue }
      throw refusal("sent an image of another series", lookIntoLog)
    }
  }

  var lookIntoLog: String { "look into the server's log" }
}

/// A status of DICOM's services (PS3.4 and PS3.7), with its meaning where it is a common one.
func words(ofStatus status: Int) -> String {
  let digits = String(status, radix: 16, uppercase: true)
  let number = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  return switch status {
  case 0xA700...0xA7FF: "\(number), out of resources"
  case 0xA900...0xA9FF: "\(number), data of another class"
  case 0xC000...0xCFFF: "\(number), not understood"
  case 0x0122: "\(number), class not supported"
  case 0x0124: "\(number), not authorized"
  default: number
  }
}
