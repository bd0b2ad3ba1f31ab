import Basics
import Datasets
import DualNorm
import Foundation
import HTTPTypes
import Hummingbird
import MedicalImaging
import Scores

/// An uploaded image that a client comes back for.
struct Session: Sendable {
  let upload: Upload
  let scan: Case
  let created = Date()
}

/// MONAI Label's protocol, as the plugins of 3D Slicer and OHIF speak it.
struct LabelService: Sendable {
  let settings: ServerSettings
  let models: [String: ProtocolModel]
  let order: [ProtocolModel]
  let queue: SegmentationQueue
  let uploads: UploadReader
  let sessions: KeptValues<Session>
  let metrics: Metrics
  /// nil without a folder of cases.
  let store: LabelStore?
  let chooser: CaseChooser
  let uncertainties: UncertaintyScores

  init(
    _ settings: ServerSettings, _ served: [ServedModel], _ queue: SegmentationQueue, _ uploads: UploadReader,
    _ metrics: Metrics
  ) throws {
    (self.settings, self.queue, self.uploads, self.metrics) = (settings, queue, uploads, metrics)
    order = ProtocolModel.all(of: served)
    models = Dictionary(uniqueKeysWithValues: order.map { ($0.name, $0) })
    sessions = KeptValues(seconds: settings.limits.keepSeconds)
    store = try settings.data.map { try LabelStore($0, modalities: served.map(\.description.modalities.count)) }
    chooser = CaseChooser(seed: settings.seed)
    uncertainties = UncertaintyScores(served[0], queue, settings.largestComponent)
  }

  func addRoutes(to router: Router<ServedContext>) {
    router.get("info") { _, _ in try await info() }
    router.get("logs") { _, _ in Response.bytes("The server keeps no log for clients.\n".utf8, type: "text/plain") }
    router.put("session") { request, _ in try await createSession(request) }
    router.get("session/:id") { request, context in try await session(request, context) }
    router.delete("session/:id") { _, context in try await removeSession(context) }
    router.post("infer/:model") { request, context in
      let model = try context.parameters.require("model")
      // A client that leaves while it waits gives up its place. The connection ends with the answer.
      do {
        var response = try await request.body.consumeWithCancellationOnInboundClose { body in
          // Its end lets go of a sender whose body nobody reads, which would wait forever.
          var pieces = body.makeAsyncIterator()
          return try await infer(model, request, &pieces)
        }
        response.headers[.connection] = "close"
        return response
      } catch var error as ServiceError {
        error.closesConnection = true
        throw error
      }
    }
    router.get("train") { _, _ -> Response in
      throw ServiceError.notFound("No training runs; \(Verb.train) takes the folder of labels.")
    }
    router.post("activelearning/:strategy") { request, context in
      try await nextCase(context.parameters.require("strategy"))
    }
    addDatastoreRoutes(to: router)
  }

  /// The answer to `GET /info/`. A key `config` at the top would make 3D Slicer ask for a newer server.
  private func info() async throws -> Response {
    let names = order.flatMap { $0.model.description.labels.names }.firstOccurrences
    let strategies = store == nil ? [] : LabellingStrategy.allCases
    return .json([
      "name": "DualNorm", "description": .string("Segmentation by \(order.map(\.name).joined(separator: ", "))"),
      "version": .string(programVersion), "labels": .array(names.map { .string($0) }),
      "models": .object(order.map { ($0.name, $0.info) }), "trainers": [:],
      "strategies": .object(strategies.map { ($0.rawValue, ["description": .string($0.summary)]) }), "scoring": [:],
      "train_stats": [:], "datastore": try await datastoreStatus(),
    ])
  }

  // MARK: Sessions

  private func createSession(_ request: Request) async throws -> Response {
    let upload = try await uploads.form(of: request)
    let session = Session(upload: upload, scan: try upload.scan(ofFields: ["files", "file"]))
    let identifier = try await sessions.add(session)
    return .json(["session_id": .string(identifier), "session_info": info(of: session, identifier)])
  }

  private func session(_ request: Request, _ context: ServedContext) async throws -> Response {
    let identifier = try context.parameters.require("id")
    let session = try await sessions.value(identifier)
    guard request.query["image"] == "true" else { return .json(info(of: session, identifier)) }
    guard session.scan.sources.count == 1, !session.scan.sources[0].isSeries else {
      throw ServiceError.notFound("The session holds several files, which no single one answers.")
    }
    let file = session.upload.files[0]
    return try .file(file.url, named: "image" + (volumeEnding(of: file.url) ?? ".dcm"), keeping: session.upload)
  }

  private func removeSession(_ context: ServedContext) async throws -> Response {
    let identifier = try context.parameters.require("id")
    guard let session = await sessions.remove(identifier) else {
      throw ServiceError.notFound("There is no such session, or it was removed.")
    }
    return .json(info(of: session, identifier))
  }

  private func info(of session: Session, _ identifier: String) -> JSONText {
    [
      "name": .string(identifier), "image": .string(session.upload.files[0].givenName),
      "creation_ts": .integer(Int(session.created.timeIntervalSince1970)),
      "expiry": .integer(settings.limits.keepSeconds), "meta": [:],
    ]
  }

  // MARK: Segmentation

  /// Answers `POST /infer/MODEL?image=…&session_id=…&output=…`.
  private func infer(
    _ name: String, _ request: Request, _ pieces: inout RequestBody.AsyncIterator
  ) async throws -> Response {
    guard let model = models[name] else {
      throw ServiceError.notFound("There is no such model; GET /info/ lists them.")
    }
    let start = Date()
    let query = request.query
    let isForm = request.headers[.contentType]?.lowercased().hasPrefix("multipart/") ?? false
    let upload = isForm ? try await uploads.form(of: request, &pieces) : nil
    let parameters = try ClientParameters(json: upload?.fields["params"])
    let (scan, owner, folderSite) = try await image(query, upload)
    do {
      var wish = try SegmentationWish(
        model.model, site: parameters.text("site"), adapt: parameters.text("adapt"), folderSite: folderSite)
      wish.passes = [model.pass]
      let format = try AnswerFormat(parameters, isPicture: scan.isPicture)
      let series = try query["output"] == "dicom_seg" ? series(of: scan) : nil
      let found = try await model.model.segment(scan, wish, queue, largestComponent: settings.largestComponent)
      metrics.countSegmentation(by: model.name, seconds: found.seconds)
      let folder = try uploads.makeFolder()
      let labels = model.model.description.labels
      let warnings = found.warnings.map { hiding($0, upload ?? owner) }
      if let series {
        let file = folder.url.appendingPathComponent("mask.dcm")
        try await offPool {
          try found.last.labels.writeSegmentation(
            to: file, of: series, segments: labels.dicomSegments, softwareVersion: programVersion)
        }
        return try .file(file, named: "mask.dcm", keeping: folder).warning(warnings)
      }
      let numbered = model.numbered(found.last.labels)
      let answer: JSONText = [
        "label_names": model.found(in: numbered),
        "latencies": [
          "infer": .number(found.seconds), "total": .number(-start.timeIntervalSinceNow),
        ],
        "warnings": .array(warnings.map { .string($0) }),
      ]
      guard query["output"] != "json" else { return .json(answer) }
      let file = folder.url.appendingPathComponent("mask" + format.ending)
      let mask = format.keepsValues ? found.last.labels : numbered
      try await offPool { try format.write(mask, withRoomFor: labels.largestFileValue, to: file) }
      let given = "mask" + format.ending
      return try query["output"] == "image"
        ? .file(file, named: given, keeping: folder).warning(warnings)
        : .form(answer, image: file, named: given, keeping: folder)
    } catch {
      throw ServiceError.of(error, hiding: (upload ?? owner)?.hidden ?? hidden(scan))
    }
  }

  /// The image of a request: an uploaded file, a session's, or one of the folder. A case of the folder has a site.
  private func image(
    _ query: [String: String], _ upload: Upload?
  ) async throws -> (scan: Case, owner: Upload?, site: String?) {
    if let upload, upload.files.contains(where: { $0.field == "file" }) {
      return (try upload.scan(ofFields: ["file"]), upload, nil)
    }
    if let identifier = query["session_id"], !identifier.isEmpty {
      let session = try await sessions.value(identifier)
      return (session.scan, session.upload, nil)
    }
    guard let identifier = query["image"], !identifier.isEmpty else {
      throw ServiceError.wrong("The request names no image; add a file, or image or session_id to its address.")
    }
    let scan = try await datastore().scan(identifier)
    return (scan, nil, scan.site)
  }

  private func series(of scan: Case) throws -> DICOMSeries {
    guard case .series(let folder, let choice) = scan.sources[0] else {
      throw ServiceError.wrong("A DICOM segmentation refers to DICOM images, and the image is not of DICOM.")
    }
    return try Warnings.collecting { try DICOMSeries(contentsOf: folder, series: choice) }.value
  }

  private func hiding(_ sentence: String, _ upload: Upload?) -> String {
    settings.veiled(upload?.veiled(sentence) ?? sentence)
  }

  /// The paths of a case in the server's folder; clients see identifiers only.
  private func hidden(_ scan: Case) -> [(path: String, name: String)] { scan.images.map { ($0.path, "the image") } }

  // MARK: Labelling

  private func nextCase(_ name: String) async throws -> Response {
    guard let strategy = LabellingStrategy(rawValue: name) else {
      throw ServiceError.notFound(
        "There is no such strategy; the strategies are \(listed(LabellingStrategy.allCases.map(\.rawValue))).")
    }
    let store = try datastore()
    let cases = try await store.all()
    let known =
      strategy == .uncertain ? await uncertainties.scores(of: cases, waitingFor: 8, atMost: .seconds(20)) : [:]
    guard let (identifier, weight) = await chooser.next(strategy, among: cases, uncertainties: known) else {
      return .json([:])
    }
    let (file, name, owner) = try await store.download(identifier, into: uploads.makeFolder)
    var answer: [(String, JSONText)] = [
      ("id", .string(identifier)), ("weight", .number(weight)), ("name", .string(name)),
      ("checksum", .string("SHA256:\(try await hexadecimalDigest(of: file))")),
    ]
    // A client on this machine opens the file itself; others download it.
    if settings.isLoopback, owner == nil { answer.append(("path", .string(file.path))) }
    if strategy == .uncertain { answer.append(("scored", .integer(known.count))) }
    return .json(.object(answer))
  }

  /// - Throws: `ServiceError` for a server without a folder of cases.
  func datastore() throws -> LabelStore {
    guard let store else {
      throw ServiceError.notFound("The server has no folder of images; it was started without \(Setting.data).")
    }
    return store
  }
}

/// The SHA-256 of a file in hexadecimal digits.
func hexadecimalDigest(of file: URL) async throws -> String {
  try await offPool { try SHA256.digest(ofFile: file).map { String(format: "%02x", $0) }.joined() }
}

/// The ending by which a file's format is known.
func volumeEnding(of url: URL) -> String? {
  readableEndings.first(where: url.lastPathComponent.lowercased().hasSuffix)
}
