import Basics
import Datasets
import DualNorm
import Foundation
import HTTPTypes
import MedicalImaging
import Scores
import Synchronization

/// A segmentation that the page started: its progress, then its result.
final class Job: Sendable {
  enum State: Sendable {
    case waiting
    case segmenting(done: Int, total: Int, since: Date)
    case done(JobResult)
    /// A sentence.
    case failed(String)
  }

  let model: ServedModel
  let upload: Upload
  let ticket = SegmentationQueue.Ticket()
  private let state = JobState()
  private let work = Mutex<Task<Void, Never>?>(nil)

  init(_ model: ServedModel, _ upload: Upload) { (self.model, self.upload) = (model, upload) }

  deinit { work.withLock { $0?.cancel() } }

  var now: State { state.now }

  /// Tells whether it waits or runs.
  var isOpen: Bool {
    switch now {
    case .waiting, .segmenting: true
    case .done, .failed: false
    }
  }

  /// Starts the segmentation; the job keeps the task, and its end cancels it.
  func start(
    _ scan: Case, _ wish: SegmentationWish, _ queue: SegmentationQueue, _ settings: ServerSettings, _ metrics: Metrics
  ) {
    // The task does not hold the job, whose end cancels it.
    let task = Task { [state, model, ticket, upload] in
      do {
        let found = try await model.segment(
          scan, wish, queue, ticket, largestComponent: settings.largestComponent,
          progress: { done, total in state.advance(done, total) })
        metrics.countSegmentation(by: model.name, seconds: found.seconds)
        try Task.checkCancellation()
        let result = try await offPool { try JobResult(found, of: scan, model, in: upload) }
        state.set(.done(result))
      } catch {
        let answer = ServiceError.of(error, hiding: upload.hidden)
        if answer.status == .internalServerError {
          settings.report("A segmentation failed: \(ServiceError.logged(error))")
        }
        state.set(.failed(settings.veiled(answer.detail)))
      }
    }
    work.withLock { $0 = task }
  }
}

/// The state of a job, which its task changes.
private final class JobState: Sendable {
  private let state = Mutex(Job.State.waiting)

  var now: Job.State { state.withLock { $0 } }

  func set(_ new: Job.State) { state.withLock { $0 = new } }

  func advance(_ done: Int, _ total: Int) {
    state.withLock { state in
      if case .segmenting(_, _, let since) = state {
        state = .segmenting(done: done, total: total, since: since)
      } else {
        state = .segmenting(done: done, total: total, since: Date())
      }
    }
  }
}

/// A finished segmentation: a description for the page, and files of what it shows and offers.
struct JobResult: Sendable {
  private let description: [(String, JSONText)]
  private let offers: [(title: String, name: String)]
  /// Bytes of a slice of `planes`.
  let sliceBytes: Int
  let slices: Int
  /// Slice after slice: grey or colour, the classes of each pass, then the uncertainty; a byte each.
  let planes: URL
  /// Files by the names under which the page offers them.
  let downloads: [String: URL]

  /// Writes the files beside the upload.
  init(_ found: SegmentedCase, of scan: Case, _ model: ServedModel, in upload: Upload) throws {
    let labels = model.description.labels
    let channels = try Warnings.collecting { try scan.sources[0].shownChannels() }.value
    let view = try SlicePlanes(channels, found.results, labels)
    planes = upload.place(named: "planes")
    try view.write(to: planes)
    (sliceBytes, slices) = (view.sliceBytes, view.slices)
    var offers: [(title: String, name: String)] = []
    var files: [String: URL] = [:]
    func offer(_ title: String, _ name: String, _ write: (URL) throws -> Void) throws {
      let file = upload.place(named: "result-" + name)
      try write(file)
      offers.append((title, name))
      files[name] = file
    }
    let last = found.last
    let format = scan.isPicture ? "PNG" : "NIfTI"
    try offer("mask (\(format))", "mask" + scan.maskEnding) {
      try last.labels.write(to: $0, withRoomFor: labels.largestFileValue)
    }
    if case .series(let folder, let choice) = scan.sources[0] {
      let series = try Warnings.collecting { try DICOMSeries(contentsOf: folder, series: choice) }.value
      try offer("mask (DICOM segmentation)", "mask.dcm") {
        try last.labels.writeSegmentation(
          to: $0, of: series, segments: labels.dicomSegments, softwareVersion: programVersion)
      }
    }
    if found.results.count > 1 {
      try offer("first pass (\(format))", "first" + scan.maskEnding) {
        try found.results[0].labels.write(to: $0, withRoomFor: labels.largestFileValue)
      }
    }
    if let uncertainty = last.uncertainty {
      try offer("uncertainty (NIfTI, nats)", "uncertainty.nii.gz") { try uncertainty.entropy.write(to: $0) }
    }
    (downloads, self.offers) = (files, offers)
    let unit = scan.isPicture ? "pixels" : "mL"
    let spacing = last.labels.geometry.spacingMM
    let amount = scan.isPicture ? 1 : spacing.x * spacing.y * spacing.z / 1000
    description = [
      ("width", .integer(view.width)), ("height", .integer(view.height)), ("slices", .integer(view.slices)),
      ("pixel", [.number(view.pixel.x), .number(view.pixel.y)]), ("channels", .integer(channels.count)),
      ("firstSlice", .integer(view.fullestSlice)), ("isDICOM", .bool(scan.sources[0].isSeries)),
      ("unit", .string(unit)),
      (
        "passes",
        .array(
          found.results.map { result in
            let counts = result.labels.histogram
            return [
              "pass": .string(model.titles.title(of: result.pass.rawValue)),
              "title": .string(model.titles.heading(of: result.pass)),
              "volumes": .array(
                zip(labels.names, labels.groups).map { name, group in
                  let voxels = group.reduce(0) { $0 + counts[Int($1)] }
                  return [
                    "name": .string(name), "value": .integer(Int(group[0])), "voxels": .integer(voxels),
                    "amount": .number(Double(voxels) * amount),
                  ]
                }),
            ]
          })
      ),
      ("uncertainty", last.uncertainty?.ofCase.map { .number($0) } ?? .null),
      ("warnings", .array(found.warnings.map { .string(upload.veiled($0)) })),
    ]
  }

  /// The answer to the page.
  ///
  /// - Parameter job: the identifier of the job, for the addresses of its files.
  func answer(ofJob job: String) -> JSONText {
    let files = offers.map { title, name -> JSONText in
      ["title": .string(title), "name": .string(name), "path": .string("/page/jobs/\(job)/files/\(name)")]
    }
    return .object(description + [("downloads", .array(files))])
  }
}
