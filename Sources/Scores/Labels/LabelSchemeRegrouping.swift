import Basics
package import MedicalImaging

extension LabelScheme {
  /// Returns this scheme with these values as background too; values of a class stay in it.
  package func excluding(_ values: [LabelValue]) -> LabelScheme {
    let others = Set(values).subtracting(groups.joined())
    return LabelScheme(groups: groups, names: names, excluded: Array(others.union(excluded)))
  }

  /// Returns this scheme with classes merged or left out for scoring.
  ///
  /// Masks that fit the old scheme also fit the new one.
  ///
  /// - Parameters:
  ///   - merge: values whose classes become one.
  ///   - exclude: values not to be scored, of a class or of none.
  /// - Throws: `Refusal` for a value to merge in no class, a part of a class to exclude, or if no class is left.
  package func regrouped(merge: [[LabelValue]] = [], exclude: [LabelValue] = []) throws -> LabelScheme {
    guard !merge.isEmpty || !exclude.isEmpty else { return self }
    // Checks single values by the rules for a data set.
    _ = try LabelScheme(values: Set(groups.joined() + exclude), merge: merge, exclude: exclude)
    for group in groups where exclude.contains(where: group.contains) && !group.allSatisfy(exclude.contains) {
      throw Refusal(
        .input, LabelScheme.option(exclude: exclude),
        "labels \(LabelScheme.sentence(Set(group))) are one class of the model", remedy: "name all of them or none")
    }
    var left = Array(zip(groups, names)).filter { !exclude.contains($0.0[0]) }
    for values in merge {
      let parts = left.filter { part in values.contains(where: part.0.contains) }
      let group = parts.flatMap(\.0)
      let isNamed = parts.contains { $0.1 != LabelScheme.name(of: $0.0, [:]) }
      let name = isNamed ? parts.map(\.1).joined(separator: " + ") : LabelScheme.name(of: group, [:])
      let place = left.firstIndex { $0.0 == parts[0].0 } ?? 0
      left[place] = (group, name)
      left.removeAll { part in part.0 != group && group.contains(part.0[0]) }
    }
    return LabelScheme(
      groups: left.map(\.0), names: left.map(\.1), excluded: Array(Set(excluded).union(exclude)))
  }
}
