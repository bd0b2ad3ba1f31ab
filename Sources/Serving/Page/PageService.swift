import Basics
import DualNorm
import Foundation
import HTTPTypes
import Hummingbird
import MedicalImaging
import NIOCore
import Scores

/// The server's own page: its files, and the segmentations that it starts.
struct PageService: Sendable {
  let settings: ServerSettings
  let models: [ServedModel]
  let queue: SegmentationQueue
  let uploads: UploadReader
  let metrics: Metrics
  let jobs: KeptValues<Job>

  func addRoutes(to router: Router<ServedContext>) {
    PageAssets.addRoutes(to: router)
    router.get("page/models") { _, _ in Response.json(description) }
    router.post("page/jobs") { request, _ in try await start(request) }
    router.get("page/jobs/:id") { _, context in try await status(context) }
    router.delete("page/jobs/:id") { _, context in
      guard await jobs.remove(try context.parameters.require("id")) != nil else {
        throw ServiceError.notFound("There is no such segmentation, or it was removed.")
      }
      return Response(status: .noContent)
    }
    router.get("page/jobs/:id/slices/:slice") { _, context in try await slice(context) }
    router.get("page/jobs/:id/files/:name") { _, context in
      let (job, result) = try await result(context)
      let name = try context.parameters.require("name")
      guard let file = result.downloads[name] else { throw ServiceError.notFound("There is no such file.") }
      return try Response.file(file, named: name, keeping: job)
    }
  }

  /// Stops all segmentations, and returns how many were not done.
  func endJobs() async -> Int { await jobs.removeAll().count(where: \.isOpen) }

  private var description: JSONText {
    [
      "program": .string("dualnorm \(programVersion)"), "keepsMinutes": .integer(settings.limits.keepSeconds / 60),
      "limits": ["bytes": .integer(settings.limits.bytes), "files": .integer(settings.limits.files)],
      "models": .array(
        models.map { model in
          let labels = model.description.labels
          return [
            "name": .string(model.name), "summary": .string(model.summary),
            "modalities": .array(model.description.modalities.map { .string($0) }),
            "labels": .array(
              labels.dicomSegments.map { segment in
                let color = (0..<3).map { String(format: "%02x", segment.color[$0]) }.joined()
                return [
                  "name": .string(segment.name), "value": .integer(Int(segment.value)), "color": .string("#\(color)"),
                ]
              }), "passes": .array(model.passes.map { .string(model.titles.title(of: $0.rawValue)) }),
            "sites": .array(model.sites.map { .string($0) }), "adapts": .bool(model.adapts),
            "isPicture": .bool(model.takesPictures),
          ]
        }),
    ]
  }

  private func start(_ request: Request) async throws -> Response {
    let upload = try await uploads.form(of: request)
    do {
      guard let model = models.first(where: { $0.name == upload.fields["model"] }) else {
        throw ServiceError.wrong("The form names no model of this server; load the page again.")
      }
      let scan = try upload.scan(ofFields: ["files"])
      var wish = try SegmentationWish(model, site: upload.fields["site"], adapt: upload.fields["adapt"])
      (wish.passes, wish.keepsUncertainty) = (Set(model.passes), true)
      guard await queue.count < settings.limits.waiting else {
        throw ServiceError(.serviceUnavailable, "Too many segmentations wait already; try again later.", retryAfter: 10)
      }
      let job = Job(model, upload)
      let identifier = try await jobs.add(job)
      job.start(scan, wish, queue, settings, metrics)
      return .json(["id": .string(identifier)], status: .accepted)
    } catch {
      throw ServiceError.of(error, hiding: upload.hidden)
    }
  }

  private func status(_ context: ServedContext) async throws -> Response {
    let identifier = try context.parameters.require("id")
    let job = try await jobs.value(identifier)
    switch job.now {
    case .waiting:
      let place = await queue.place(of: job.ticket)
      return .json(place.map { ["state": "waiting", "place": .integer(max($0, 1))] } ?? ["state": "reading"])
    case .segmenting(let done, let total, let since):
      let share = Double(done) / Double(max(total, 1))
      let left = done > 0 && done < total ? -since.timeIntervalSinceNow * (1 - share) / share : 0
      return .json(["state": "segmenting", "share": .number(share), "secondsLeft": .number(left.rounded(.up))])
    case .failed(let detail): return .json(["state": "failed", "detail": .string(detail)])
    case .done(let result): return .json(["state": "done", "result": result.answer(ofJob: identifier)])
    }
  }

  private func slice(_ context: ServedContext) async throws -> Response {
    let (job, result) = try await result(context)
    guard let number = Int(try context.parameters.require("slice")), 0..<result.slices ~= number else {
      throw ServiceError.notFound("There is no such slice.")
    }
    let file = try FileHandle(forReadingFrom: result.planes)
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(number * result.sliceBytes))
    let bytes = try file.read(upToCount: result.sliceBytes) ?? Data()
    withExtendedLifetime(job) {}
    return Response(
      status: .ok, headers: [.contentType: "application/octet-stream"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func result(_ context: ServedContext) async throws -> (Job, JobResult) {
    let job = try await jobs.value(context.parameters.require("id"))
    guard case .done(let result) = job.now else {
      throw ServiceError(.conflict, "The segmentation is not done yet; ask for its state first.")
    }
    return (job, result)
  }
}
