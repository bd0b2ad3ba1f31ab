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
        "refuses to store a file (status \(words(ofStatus: Int(transfer.status))))", lookIntoLog)
    default: refusal(ofConnection: outcome, transfer)
    }
  }

  /// The refusal of a fetch that did not end well.
  func refusal(
    of outcome: CDICOMOutcome, _ transfer: CDICOMTransfer, fetching series: String, into folder: URL
  ) -> Refusal? {
    let status = words(ofStatus: Int(transfer.status))
    switch outcome {
    case .unsupported:
      return refusal(
        "does not offer C-FIND and C-GET, by which a series is fetched",
        "fetch it by another program, and give its folder")
    case .searchRefused:
      return refusal(
        "refuses to search for the series (status \(status))",
        address.study == nil ? "name its study too: HOST:PORT/STUDY/SERIES" : lookIntoLog)
    case .notFound:
      return refusal("has no series \(series)\(address.study == nil ? "" : " in this study")", "check the UID")
    case .refused:
      return refusal("refuses to send the series (status \(status))", lookIntoLog)
    case .incomplete: return incomplete(progress(of: transfer))
    case .tooLarge: return tooLarge(Self.limits, for: folder)
    case .unwritable: return unwritable(folder)
    default: return refusal(ofConnection: outcome, transfer)
    }
  }

  private func refusal(ofConnection outcome: CDICOMOutcome, _ transfer: CDICOMTransfer) -> Refusal? {
    switch outcome {
    case .done: nil
    case .unreachable: unreachable(lastDICOMError())
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
    case .cut: cut(after: progress(of: transfer))
    case .endless: endless
    case .silent: silent(Self.limits)
    case .stopped: stopped(after: progress(of: transfer))
    default: refusal("the transfer failed (\(lastDICOMError()))", lookIntoLog)
    }
  }

  private func progress(of transfer: CDICOMTransfer) -> TransferProgress {
    TransferProgress(done: Int(transfer.files), total: Int(transfer.total))
  }
}
