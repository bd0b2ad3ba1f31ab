import Datasets
import MedicalImaging
import Pictures
import Scores

/// The evaluated cases of which a picture shows the worst, the median and the best of each site.
///
/// Of a case it keeps the masks of one slice. The image is read again where the case is drawn.
struct SheetPicker {
  /// A case that may be drawn.
  struct Candidate {
    let scan: Case
    /// Mean Dice of the last pass over the classes; nil where it is undefined.
    let dice: Double?
    /// The slice that is drawn.
    var z = 0
    /// Classes of slice `z`.
    var reference, firstPass, finalPass, adaptedPass: LabelMap?
    /// Shown over the pass: `Dice 0.93`.
    var firstNote = ""
    var finalNote = ""
    var adaptedNote = ""
  }

  private var candidates: [Candidate] = []

  var isEmpty: Bool { candidates.isEmpty }

  mutating func add(_ candidate: Candidate) { candidates.append(candidate) }

  /// Reads the images of the cases that a picture shows.
  ///
  /// - Parameter sites: in the order of the rows.
  /// - Throws: `ImagingError` for an image that can no longer be read.
  func rows(of sites: [String], _ picture: Evaluation.Picture) throws -> [SheetRow] {
    try sites.flatMap { site in try chosen(picture, of: site).map { try $0.row() } }
  }

  /// The worst first; cases without a Dice only where no case has one.
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
  /// Reads the image, and draws on it.
  fileprivate func row() throws -> SheetRow {
    let channels = try Image.channels(contentsOf: scan.images[0])
    var row = SheetRow(
      title: scan.identifier, channels: channels.map { $0.slices(z..<z + 1) }, z: 0, reference: reference,
      firstPass: firstPass, finalPass: finalPass, adaptedPass: adaptedPass)
    (row.firstNote, row.finalNote, row.adaptedNote) = (firstNote, finalNote, adaptedNote)
    return row
  }
}

/// Where the median is among so many ranked cases, the lower of two.
package func medianPlace(of count: Int) -> Int { (count - 1) / 2 }
