import Basics
import CHTTP
import Foundation

extension DICOMwebServer {
  /// The service that a request is for.
  enum Service { case search, fetch, store }

  /// Passes answers that go on to be read.
  ///
  /// - Throws: `Refusal` of any other status, and of pages. Words of the server never get into it.
  func requireAnswer(_ status: Int, _ type: String, to service: Service) throws {
    let isPage = MediaType(type).isPage
    switch status {
    case 200..<300 where !isPage: return
    // The answer says why.
    case 409 where service == .store: return
    case 200..<300: throw noService(status)
    // So answers a web server to an unencrypted request at an encrypted port.
    case 400 where isPage && !address.isEncrypted:
      throw refusal("does not take unencrypted requests (status 400)", "give dicomweb+https://")
    case 401, 407: throw unauthorized(status)
    case 403:
      throw refusal("does not allow this (status 403)", "ask its administrator for the rights\(byOtherCredentials)")
    case 300..<400:
      throw refusal(
        "sends to another address (status \(status)), which is not followed", "give the address that the server has now"
      )
    case 404 where isPage || service != .search, 410 where isPage, 405: throw noService(status)
    case 404, 410:
      throw refusal(
        "has no such study, or no DICOMweb at this path (status \(status))",
        "check the UIDs, and the path before studies")
    case 413: throw refusal("does not take a file of this size (status 413)", "store it in another way")
    case 429, 503: throw refusal("is too busy (status \(status))", "try again later")
    default: throw refused(service, status)
    }
  }

  /// The refusal of an answer in another language than DICOMweb's.
  func foreign(_ type: MediaType) -> Refusal {
    type.isPage ? noService(200) : refusal("answers in another format than DICOMweb's", "check the address")
  }

  private func noService(_ status: Int) -> Refusal {
    refusal("has no DICOMweb at this path (status \(status))", "check the path, such as /dicom-web")
  }

  private func unauthorized(_ status: Int) -> Refusal {
    credentials == nil
      ? refusal(
        "asks for a user and password, or a token (status \(status))", "give a file of them by \(Setting.credentials)")
      : refusal(
        "does not take the user and password, or token (status \(status))", "check the file of \(Setting.credentials)")
  }

  private var byOtherCredentials: String {
    credentials == nil ? ", or give \(Setting.credentials)" : ", or give other \(Setting.credentials)"
  }

  private func refused(_ service: Service, _ status: Int) -> Refusal {
    let act =
      switch service {
      case .search: "search for the series"
      case .fetch: "send the series as it is stored"
      case .store: "store a file"
      }
    return refusal("refuses to \(act) (status \(status))", lookIntoLog)
  }

  /// The refusal of a request without an answer.
  func refusal(of failure: HTTPFailure, _ progress: TransferProgress) -> Refusal {
    switch failure.outcome {
    case .unreachable: unreachable(failure.reason)
    case .untrusted:
      refusal(
        "its certificate is of an authority that is not trusted here",
        "give the authority's certificate by \(Setting.ca), if you trust it")
    case .invalid:
      refusal("its certificate is not valid: \(failure.reason)", "check the address, or have the certificate renewed")
    case .badCA: badAuthorities
    case .noTLS:
      refusal("does not agree on encryption (TLS)", "check the port; an unencrypted one takes dicomweb+http://")
    case .noHTTP: noHTTP
    // A server that expects encryption ends other connections.
    case .cut where !address.isEncrypted && progress.total == 0:
      refusal("ended the connection without an answer", "try again, or give dicomweb+https:// for an encrypted port")
    case .cut: cut(after: progress)
    case .silent: silent(limits)
    case .stopped: stopped(after: progress)
    case .endless: endless
    case .done, .refused, .failed: refusal("the transfer failed (\(failure.reason))", lookIntoLog)
    }
  }

  private var noHTTP: Refusal {
    refusal(
      "does not answer in HTTP",
      "check the port\(address.isEncrypted ? "" : "; an encrypted one takes dicomweb+https://")")
  }

  private var badAuthorities: Refusal {
    guard let authorities else {
      return refusal(
        "its certificate cannot be checked, since this machine has no trusted authorities",
        "install them (ca-certificates), or give \(Setting.ca)")
    }
    return Refusal(
      .input, "\(Setting.ca) \(authorities.path)", "holds no certificate that can be read", remedy: "give a PEM file")
  }

  /// The refusal of files that do not come as they should.
  func refusal(of fault: NumberedFiles.Fault, _ progress: TransferProgress, _ folder: URL?) -> Refusal {
    switch fault {
    case .tooLarge: tooLarge(limits, for: folder ?? FileManager.default.temporaryDirectory)
    case .surplus: refusal("sends more images than the \(progress.total) that it has found", lookIntoLog)
    case .empty: refusal("sent an empty image", lookIntoLog)
    case .unwritable: unwritable(folder ?? FileManager.default.temporaryDirectory)
    }
  }
}
