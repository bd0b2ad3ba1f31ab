import Basics
import MedicalImaging

/// The form in `model.json`: `{"groups": [[1, 2], [4]], "names": ["prostate", "bladder"], "excluded": [3]}`.
///
/// `excluded` is omitted if there is none.
extension LabelScheme {
  private enum CodingKeys: String, CodingKey { case groups, names, excluded }

  /// Reads a saved scheme and refuses one that contradicts itself.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let groups = try container.decode([[LabelValue]].self, forKey: .groups)
    let names = try container.decode([String].self, forKey: .names)
    let excluded = try container.decodeIfPresent([LabelValue].self, forKey: .excluded) ?? []
    let values = groups.joined() + excluded
    guard !groups.isEmpty, groups.allSatisfy({ !$0.isEmpty }), !values.contains(0), Set(values).count == values.count,
      names.count == groups.count, groups.count <= LabelScheme.mostClasses
    else {
      throw Refusal(
        .input,
        "The label scheme must have at most \(LabelScheme.mostClasses) classes, a name and at least one value from 1 to "
          + "\(LabelValue.max) for each, and no value twice")
    }
    self.init(groups: groups, names: names, excluded: excluded)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(groups, forKey: .groups)
    try container.encode(names, forKey: .names)
    if !excluded.isEmpty { try container.encode(excluded, forKey: .excluded) }
  }
}
