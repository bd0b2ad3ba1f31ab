import Datasets
import MedicalImaging
import Pictures
import Scores

/// Evaluated cases, from which a picture shows each site's worst, median and best.
///
/// Each case keeps the masks of one slice. The image is read again if the case is drawn.
struct SheetPicker {
  /// A case to choose from.
  struct Candidate {
    let scan: Case
    /// Mean Dice of the last pass over the classes; nil if undefined.
    let dice: Double?
    /// The index of the drawn slice.
    var z = 0
    /// Class maps of slice `z`.
    var reference, firstPass, finalPass, adaptedPass: ClassMap?
    /// Text above the pass: `Dice 0.93`.
    var firstNote = ""
    var finalNote = ""
    var adaptedNote = ""
  }

  private var candidates: [Candidate] = []

  var isEmpty: Bool { candidates.isEmpty }

  mutating func add(_ candidate: Candidate) { candidates.append(candidate) }

  /// Reads the images of the chosen cases and draws their rows.
  ///
  /// - Parameter sites: the sites, in the order of the rows.
  /// - Throws: `Refusal` for an image that can no longer be read.
  func rows(of sites: [String], _ picture: Evaluation.Picture) throws -> [SheetRow] {
    try sites.flatMap { site in try chosen(picture, of: site).map { try $0.row() } }
  }

  /// Chooses a site's cases, the worst first. Cases without a Dice are chosen only if no case has one.
  func chosen(_ picture: Evaluation.Picture, of site: String) -> [Candidate] {
    let all = candidates.filter { $0.scan.site == site }
    let scored = all.filter { $0.dice != nil }
    let ranked = (scored.isEmpty ? all : scored).sorted { one, other in
      let (dice, otherDice) = (one.dice ?? 0, other.dice ?? 0)
      return dice == otherDice ? comesBefore(one.scan.identifier, other.scan.identifier) : dice < otherDice
    }
    guard !ranked.isEmpty else { return [] }
    let (worst, median, best) = (0, medianPlace(of: ranked.count), ranked.count - 1)
    let places: Set<Int> =
      switch picture {
      case .worstMedianAndBest: [worst, median, best]
      case .median(let sites): sites.contains(site) ? [worst, median] : [median]
      }
    return places.sorted().map { ranked[$0] }
  }
}

extension SheetPicker.Candidate {
  /// Reads the image, and makes its row.
  fileprivate func row() throws -> SheetRow {
    let channels = try scan.sources[0].shownChannels()
    var row = SheetRow(
      title: scan.identifier, channels: channels.map { $0.slices(z..<z + 1) }, z: 0, reference: reference,
      firstPass: firstPass, finalPass: finalPass, adaptedPass: adaptedPass)
    (row.firstNote, row.finalNote, row.adaptedNote) = (firstNote, finalNote, adaptedNote)
    return row
  }
}

/// The index of the median in a ranked list; the lower of two.
package func medianPlace(of count: Int) -> Int { (count - 1) / 2 }
