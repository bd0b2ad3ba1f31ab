import Basics
import Foundation

/// The last step that ended with a series, as `record.json` in its folder has it.
package struct SeriesRecord: Codable, Equatable, Sendable {
  package enum Step: String, Codable, Sendable {
    /// The mask is written, and not on its server yet.
    case segmented
    /// The server has it.
    case stored
    /// No mask can be made of these images.
    case failed
    /// No rule takes these images.
    case unnamed
  }

  package var step: Step
  /// SOP Instance UIDs of the images, sorted.
  package var images: [String]
  package var rule: String?
  /// Address of the server that gets or has the mask.
  package var server: String?
  /// The reason of a failure, in a sentence.
  package var reason: String?
  /// Doubts about the mask.
  package var warnings: [String] = []
  /// Seconds that the network took.
  package var seconds: Double?
  package var program = "dualnorm \(programVersion)"

  init(_ step: Step, _ images: Set<String>) { (self.step, self.images) = (step, images.sorted()) }
}

/// The next thing to do with a series.
enum SeriesTask: Equatable, Sendable {
  /// There is nothing to do with these images.
  case none
  /// The images wait to be segmented, all of them.
  case segment
  case store(SeriesRecord)
  /// Images came after the others of the series were segmented and removed.
  case refuseRest

  /// Decides by what is on disk alone, so that it is the same after any end of the process.
  ///
  /// - Parameters:
  ///   - images: SOP Instance UIDs of the images that are there.
  ///   - record: the last step that ended, if any did.
  init(_ images: Set<String>, _ record: SeriesRecord?) {
    guard let record else {
      self = images.isEmpty ? .none : .segment
      return
    }
    let known = Set(record.images)
    if images.isSubset(of: known) {
      self = record.step == .segmented ? .store(record) : .none
    } else if known.isSubset(of: images) || record.step == .failed {
      self = .segment
    } else {
      self = .refuseRest
    }
  }
}
