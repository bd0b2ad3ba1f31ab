import Basics
import CDICOM
import Foundation

extension DICOMServer {
  /// The refusal of a store that did not end well.
  func refusal(of outcome: CDICOMOutcome, _ transfer: CDICOMTransfer) -> Refusal? {
    switch outcome {
    case .unsupported:
      refusal("does not take such files (\(lastDICOMError()))", "store them on another server")
    case .refused:
      refusal(
        "refuses to store a file (status \(Self.words(ofStatus: transfer.status)))", "look into the server's log")
    default: refusal(ofConnection: outcome, transfer)
    }
  }

  /// The refusal of a fetch that did not end well.
  func refusal(
    of outcome: CDICOMOutcome, _ transfer: CDICOMTransfer, fetching series: String, into folder: URL
  ) -> Refusal? {
    let status = Self.words(ofStatus: transfer.status)
    switch outcome {
    case .unsupported:
      return refusal(
        "does not offer C-FIND and C-GET, by which a series is fetched",
        "fetch it by another program, and give its folder")
    case .searchRefused:
      return refusal(
        "refuses to search for the series (status \(status))",
        address.study == nil ? "name its study too: HOST:PORT/STUDY/SERIES" : "look into the server's log")
    case .notFound:
      return refusal("has no series \(series)\(address.study == nil ? "" : " in this study")", "check the UID")
    case .refused:
      return refusal("refuses to send the series (status \(status))", "look into the server's log")
    case .incomplete:
      return refusal(
        "sent \(transfer.files) of \(transfer.total) images",
        "look into the server's log; it may hold the others in a compression that is not read")
    case .tooLarge:
      return refusal(
        "has a series of more than \(Self.bounds.images) images, \(Self.bounds.imageBytes >> 20) MiB an image, or half "
          + "of the free space", "make room beside \(folder.path), or choose another series")
    case .unwritable:
      return Refusal(
        .file, folder.path, "cannot be written", remedy: "make room on its disk, or set TMPDIR to another folder")
    default: return refusal(ofConnection: outcome, transfer)
    }
  }

  private func refusal(ofConnection outcome: CDICOMOutcome, _ transfer: CDICOMTransfer) -> Refusal? {
    switch outcome {
    case .done: nil
    case .unreachable:
      refusal("cannot be reached (\(lastDICOMError()))", "check host and port, and that the server runs")
    case .unknownTitle:
      refusal("refuses the title \(address.title), since its own is another", "give the server's title (AET)")
    case .unknownOwnTitle:
      refusal(
        "does not know the title \(ownTitle), by which this program calls",
        "add it to the server's list, or give a known one (\(Setting.aet))")
    case .rejected: refusal("refuses the association (\(lastDICOMError()))", "try again later")
    case .aborted:
      refusal(
        "ended the association itself",
        "see that the server allows the title \(ownTitle), or give an allowed one (\(Setting.aet))")
    case .cut:
      refusal("the connection was cut\(transfer.total > 0 ? " after \(progress(of: transfer))" : "")", "try again")
    case .endless: refusal("sends answers without end (\(lastDICOMError()))", "look into the server's log")
    case .silent: refusal("sent nothing for \(Self.timeouts.answering) s", "try again later")
    case .stopped: refusal("the transfer was stopped after \(progress(of: transfer))", "start it again")
    default: refusal("the transfer failed (\(lastDICOMError()))", "look into the server's log")
    }
  }

  private func progress(of transfer: CDICOMTransfer) -> String { "\(transfer.files) of \(transfer.total) files" }

  private func refusal(_ found: String, _ remedy: String) -> Refusal {
    Refusal(.file, address.server, found, remedy: remedy)
  }

  /// A status of DICOM's services (PS3.4 and PS3.7), with its meaning where it is a common one.
  private static func words(ofStatus status: Int32) -> String {
    let number = String(format: "%04X", status)
    return switch status {
    case 0xA700...0xA7FF: "\(number), out of resources"
    case 0xA900...0xA9FF: "\(number), data of another class"
    case 0xC000...0xCFFF: "\(number), not understood"
    case 0x0122: "\(number), class not supported"
    case 0x0124: "\(number), not authorized"
    default: number
    }
  }
}
