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
  /// Tells whether some of these images were removed before the others came.
  package var isPart = false
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

  /// Reads records of versions that know fewer keys, too.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    step = try values.decode(Step.self, forKey: .step)
    images = try values.decode([String].self, forKey: .images)
    isPart = try values.decodeIfPresent(Bool.self, forKey: .isPart) ?? false
    rule = try values.decodeIfPresent(String.self, forKey: .rule)
    server = try values.decodeIfPresent(String.self, forKey: .server)
    reason = try values.decodeIfPresent(String.self, forKey: .reason)
    warnings = try values.decodeIfPresent([String].self, forKey: .warnings) ?? []
    seconds = try values.decodeIfPresent(Double.self, forKey: .seconds)
    program = try values.decodeIfPresent(String.self, forKey: .program) ?? ""
  }
}

/// The next thing to do with a series.
enum SeriesTask: Equatable, Sendable {
  /// There is nothing to do with these images.
  case nothing
  /// The images wait to be segmented, all of them.
  case segment
  case store(SeriesRecord)
  /// Images came after the others of the series were segmented and removed. These are all that ever came.
  case refuseRest(Set<String>)

  /// Decides by what is on disk alone, so that it is the same after any end of the process.
  ///
  /// - Parameters:
  ///   - images: SOP Instance UIDs of the images that are there.
  ///   - record: the last step that ended, if any did.
  init(_ images: Set<String>, _ record: SeriesRecord?) {
    guard let record else {
      self = images.isEmpty ? .nothing : .segment
      return
    }
    let known = Set(record.images)
    if record.isPart, !images.isEmpty, known.isSubset(of: images) {
      self = .segment
    } else if images.isSubset(of: known) {
      self = record.step == .segmented ? .store(record) : .nothing
    } else {
      self = known.isSubset(of: images) ? .segment : .refuseRest(known.union(images))
    }
  }
}
