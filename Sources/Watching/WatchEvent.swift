import Basics
package import MedicalImaging

/// Something that happened to a series, for people.
package enum WatchEvent: Sendable {
  case segmented(series: String, images: Int, rule: String, seconds: Double)
  case stored(series: String, server: String)
  /// No rule takes the series.
  case unnamed(series: String, images: Int)
  case doubt(series: String, String)
  case failed(series: String, String)
  /// A series waits: for its server, or for the disk.
  case delayed(series: String, String, seconds: Double)
  /// A mask waits for a rule with its server.
  case orphaned(series: String, server: String)
  case network(StorageListener.Event)

  package enum Weight: Sendable { case detail, news, warning, error }

  package var weight: Weight {
    switch self {
    case .segmented, .stored, .unnamed: .news
    case .doubt, .delayed, .orphaned: .warning
    case .failed: .error
    case .network(.began), .network(.ended): .detail
    case .network(.rejected), .network(.cut): .news
    case .network(.unwritable): .error
    }
  }

  package var sentence: String {
    switch self {
    case .segmented(let series, let images, let rule, let seconds):
      "Series \(series): \(counted(images, "image")) segmented by the rule \(rule) in \(fixed(seconds, decimals: 1)) s."
    case .stored(let series, let server): "Series \(series): the segmentation is stored on \(server)."
    case .unnamed(let series, let images): "Series \(series): no rule takes it (\(counted(images, "image")))."
    case .doubt(let series, let doubt): "Series \(series): \(doubt)"
    case .failed(let series, let reason): "Series \(series): \(reason)"
    case .delayed(let series, let reason, let seconds):
      "Series \(series) waits. \(reason) The next try is in \(Int(seconds)) s."
    case .orphaned(let series, let server):
      "Series \(series): its segmentation is for \(server), which no rule names any more; it waits for such a rule."
    case .network(let event): event.sentence
    }
  }
}
