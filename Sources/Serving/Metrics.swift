import Basics
import Foundation
import HTTPTypes
import Synchronization

/// Counts of requests and segmentations, in Prometheus' text format.
final class Metrics: Sendable {
  private struct Request: Hashable {
    let method, route: String
    let status: Int
  }

  private struct Counts {
    var requests: [Request: Int] = [:]
    var requestSeconds = 0.0
    var segmentations: [String: Int] = [:]
    var segmentationSeconds = 0.0
    var labels = 0
  }

  private let counts = Mutex(Counts())

  func count(_ method: String, _ route: String, _ status: Int, _ seconds: Double) {
    counts.withLock {
      $0.requests[Request(method: method, route: route, status: status), default: 0] += 1
      $0.requestSeconds += seconds
    }
  }

  func countSegmentation(by model: String, seconds: Double) {
    counts.withLock {
      $0.segmentations[model, default: 0] += 1
      $0.segmentationSeconds += seconds
    }
  }

  func countLabel() { counts.withLock { $0.labels += 1 } }

  /// - Parameters:
  ///   - waiting: segmentations that wait or run.
  ///   - kept: uploads and results that are kept.
  func text(waiting: Int, kept: Int) -> String {
    let counts = counts.withLock { $0 }
    var lines: [String] = []
    func add(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      lines += ["# HELP dualnorm_\(name) \(help)", "# TYPE dualnorm_\(name) \(kind)"]
      lines += samples.map { "dualnorm_\(name)\($0.labels) \($0.value)" }
    }
    add(
      "requests_total", "counter", "Requests answered, by method, route and status.",
      counts.requests.map { request, count in
        (
          "{method=\"\(request.method)\",route=\"\(request.route)\",status=\"\(request.status)\"}", "\(count)"
        )
      }.sorted { $0.0 < $1.0 })
    add(
      "request_seconds_total", "counter", "Seconds spent on requests.",
      [("", fixed(counts.requestSeconds, decimals: 3))])
    add(
      "segmentations_total", "counter", "Volumes segmented, by model.",
      counts.segmentations.sorted { $0.key < $1.key }.map { ("{model=\"\(Self.escaped($0.key))\"}", "\($0.value)") })
    add(
      "segmentation_seconds_total", "counter", "Seconds that the networks took.",
      [("", fixed(counts.segmentationSeconds, decimals: 3))])
    add("labels_saved_total", "counter", "Labels that came back.", [("", "\(counts.labels)")])
    add("segmentations_waiting", "gauge", "Segmentations that wait or run.", [("", "\(waiting)")])
    add("uploads_kept", "gauge", "Uploads and results that are kept.", [("", "\(kept)")])
    add("resident_bytes", "gauge", "Memory of the process.", [("", "\(Self.residentBytes)")])
    return lines.joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
      .replacingOccurrences(of: "\n", with: "\\n")
  }

  private static var residentBytes: Int {
    let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}
