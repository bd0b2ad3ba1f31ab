import Basics
import Foundation

extension DICOMwebServer {
  /// Finds the address's series, and counts its images (QIDO-RS).
  ///
  /// - Throws: `Refusal` unless there is one of images.
  func countImages(_ client: HTTPClient, watcher: @escaping () -> Bool) throws -> Int {
    let (study, series) = (address.study!, address.series!)
    let found = try search(
      client, "studies/\(study)/series?SeriesInstanceUID=\(series)&includefield=00201209&includefield=00080060", watcher
    )
    guard let entry = found.first(where: { $0.text("0020000E") == series }) else {
      throw refusal("has no series \(series) in this study", "check the UIDs")
    }
    if let modality = entry.text("00080060"), let kind = Self.modalitiesWithoutImages.first(where: { $0 == modality }) {
      throw refusal("the series holds no images, since its modality is \(kind)", "choose another series")
    }
    let told = entry.number("00201209") ?? 0
    let counted = try countInstances(client, "studies/\(study)/series/\(series)/instances", told: told, watcher)
    guard max(counted, told) > 0 else { throw refusal("finds no images of the series", lookIntoLog) }
    guard max(counted, told) <= limits.images else { throw NumberedFiles.Fault.tooLarge }
    return max(counted, told)
  }

  /// Counts different instances page by page: a server may bound the length of an answer, and may not know of pages.
  private func countInstances(
    _ client: HTTPClient, _ query: String, told: Int, _ watcher: @escaping () -> Bool
  ) throws -> Int {
    var instances: Set<String> = []
    while instances.count <= limits.images {
      let before = instances.count
      let page = try search(client, "\(query)?limit=1000&offset=\(before)", watcher)
      instances.formUnion(page.compactMap { $0.text("00080018") })
      if instances.count == before || instances.count == told { break }
    }
    return instances.count
  }

  /// Asks the server. Returns its answers; none where it has no content.
  private func search(_ client: HTTPClient, _ query: String, _ watcher: @escaping () -> Bool) throws -> [DICOMValues] {
    var answer = Data()
    var isEmpty = false
    try client.run(
      "\(address.url)/\(query)", headers: ["Accept: application/dicom+json"],
      .init(
        watcher: watcher,
        begin: { status, type in
          try requireAnswer(status, type, to: .search)
          isEmpty = status == 204
          guard isEmpty || MediaType(type).isJSON else { throw foreign(MediaType(type)) }
        },
        receive: { bytes in
          guard answer.count + bytes.count <= limits.answerBytes else { throw endless }
          answer += bytes
        }))
    if isEmpty { return [] }
    guard let entries = (try? JSONSerialization.jsonObject(with: answer)) as? [[String: Any]] else {
      throw refusal("answers a search with damaged JSON", lookIntoLog)
    }
    return entries.map(DICOMValues.init)
  }

  /// Modalities of objects without pixels to segment (PS3.3, C.7.3.1.1.1).
  private static let modalitiesWithoutImages: Set = [
    "AU", "DOC", "ECG", "EPS", "FID", "HD", "KO", "PLAN", "PR", "REG", "RESP", "RTPLAN", "RTRECORD", "RTSTRUCT", "RWV",
    "SEG", "SR", "STAIN", "TEXTUREMAP",
  ]
}

/// Values of DICOM in JSON (PS3.18, F), by tags of eight digits.
struct DICOMValues {
  private let values: [String: Any]

  init(_ values: [String: Any]) { self.values = values }

  /// The first value of an element, as text.
  func text(_ tag: String) -> String? { (first(tag) as? String)?.trimmingCharacters(in: .whitespaces) }

  /// The first value as a number, which may be written as text.
  func number(_ tag: String) -> Int? { (first(tag) as? NSNumber)?.intValue ?? text(tag).flatMap { Int($0) } }

  /// The items of a sequence.
  func items(_ tag: String) -> [DICOMValues] { list(tag).compactMap { ($0 as? [String: Any]).map(DICOMValues.init) } }

  private func first(_ tag: String) -> Any? { list(tag).first }

  private func list(_ tag: String) -> [Any] { (values[tag] as? [String: Any])?["Value"] as? [Any] ?? [] }
}
