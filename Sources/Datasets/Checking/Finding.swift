import Foundation

extension DataCheck {
  package enum Severity: String, Codable, Sendable {
    /// Training would fail or give a wrong network.
    case error
    /// Possibly intended, but worth a look.
    case warning
    /// Worth knowing.
    case note
  }

  /// The subject of a finding; docs/check.md states each rule.
  package enum Rule: String, Codable, CaseIterable, Sendable {
    /// A file cannot be read.
    case file
    /// A file was read, but its position or its values are in doubt.
    case reading
    /// A mask or modality does not lie on the voxels of its image.
    case grid
    /// NaN, infinite or constant voxels.
    case voxels
    /// Label values that are unnamed or differ between sites or masks.
    case labels
    /// One structure under two values, such as 1 and 255; or one value with two names.
    case labelValues = "label-values"
    /// Masks with greys along their edges.
    case greyEdges = "grey-edges"
    /// Files that look like images and are not read.
    case unread
    /// Images that look like masks, with masks that do not.
    case exchanged
    case emptyMask = "empty-mask"
    /// One image in several cases.
    case duplicate
    /// One patient at several sites.
    case patient
    /// A patient or an image on two sides of a split.
    case split
    /// Voxels stored in another order of axes than those of other cases.
    case orientation
    /// Sizes in mm that look like another unit.
    case units
    /// Pixels of very different sizes.
    case pixelSize = "pixel-size"
    /// CT without its offset of about 1000.
    case offset
    /// Intensities far from those of the other cases.
    case intensity
    /// A mask that lies elsewhere than other cases' masks, on background, or mirrored.
    case placement
    /// Grids that differ by rounding.
    case rounding
  }

  /// One sentence on the data.
  package struct Finding: Codable, Equatable, Sendable {
    package let severity: Severity
    package let rule: Rule
    /// A sentence: the file or site, what was found, what was expected and what to do.
    package let message: String
    /// The cases concerned (`Site-A/Case03`); empty if all are.
    package let cases: [String]
    /// Paths of the files to look at first.
    package let files: [String]

    init(_ severity: Severity, _ rule: Rule, _ message: String, cases: [String] = [], files: [URL] = []) {
      self.severity = severity
      self.rule = rule
      self.message = message
      self.cases = cases
      self.files = files.map(\.path)
    }

    /// Tells whether a network can still be trained but would segment wrongly or be judged wrongly.
    var makesNetworkWrong: Bool {
      severity == .warning
        && [.labelValues, .greyEdges, .placement, .units, .offset, .duplicate, .patient, .split].contains(rule)
    }

    /// Tells whether the reader of the files reports it.
    var isOfReading: Bool { [.reading, .unread].contains(rule) }
  }
}
