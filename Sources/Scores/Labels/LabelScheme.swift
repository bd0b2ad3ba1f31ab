package import Basics
public import MedicalImaging

/// The mapping between the labels in mask files and the network's classes.
///
/// Class 0 is background (value 0). Class k holds every file value in `groups[k − 1]` and is written to files as the
/// first of them. Excluded values are background; other values in no group are an error.
public struct LabelScheme: Codable, Equatable, Sendable {
  /// The file values of each foreground class, for example `[[1, 2]]` for a prostate merged from two zones.
  public let groups: [[LabelValue]]
  /// A name for each foreground class.
  public let names: [String]
  /// File values in masks that count as background, ascending.
  package let excluded: [LabelValue]

  /// - Precondition: at most 255 groups.
  public init(groups: [[LabelValue]], names: [String]? = nil, excluded: [LabelValue] = []) {
    precondition(groups.count <= LabelScheme.mostClasses, "\(groups.count) foreground classes")
    self.groups = groups
    self.names = names ?? groups.map { LabelScheme.name(of: $0, [:]) }
    self.excluded = excluded.sorted()
  }

  /// The largest number of foreground classes, since voxels of a class map have 8 bits.
  static let mostClasses = Int(UInt8.max)

  /// The number of classes of the network, background included.
  package var classCount: Int { groups.count + 1 }

  /// The value of class `index` in files.
  package func fileValue(ofClass index: Int) -> LabelValue { index == 0 ? 0 : groups[index - 1][0] }

  /// The largest value of a class in files; masks are written in a type that holds it.
  package var largestFileValue: LabelValue { groups.map { $0[0] }.max() ?? 0 }

  /// The class of each file value; nil where the scheme has none.
  package var classOfValue: [UInt8?] {
    var table = [UInt8?](repeating: nil, count: Int(LabelValue.max) + 1)
    for value in [0] + excluded { table[Int(value)] = 0 }
    for (index, group) in groups.enumerated() {
      for value in group { table[Int(value)] = UInt8(index + 1) }
    }
    return table
  }
}

extension LabelScheme {
  /// Makes every foreground value its own class, in ascending order, except merged or excluded ones.
  ///
  /// - Parameters:
  ///   - values: the labels in the masks; used if `labelNames` is empty.
  ///   - labelNames: the labels and their names from `dataset.json` or `prepared.json`.
  ///   - merge: values that become one class, written as the first of them.
  ///   - exclude: values that become background.
  /// - Throws: `Refusal` for values that cannot be merged or excluded, or if no foreground is left.
  package init(
    values: Set<LabelValue>, labelNames: [LabelValue: String] = [:], merge: [[LabelValue]] = [],
    exclude: [LabelValue] = []
  ) throws {
    let known = (labelNames.isEmpty ? values : Set(labelNames.keys)).union(values.intersection(exclude)).subtracting([0]
    )
    try LabelScheme.check(merge, known: known)
    try LabelScheme.check(exclude: exclude, merge: merge, known: known)
    let single = known.subtracting(merge.joined()).subtracting(exclude)
    let groups = (merge + single.map { [$0] }).sorted { $0.min() ?? 0 < $1.min() ?? 0 }
    guard !groups.isEmpty || exclude.isEmpty else {
      throw Refusal(
        .input, "\(LabelScheme.option(exclude: exclude)) leaves no label to learn",
        detail: "the data's labels are \(LabelScheme.sentence(known))")
    }
    guard !groups.isEmpty else {
      throw Refusal(
        .input, "The masks hold no label but 0 (background), so there is nothing to learn", remedy: "check the masks")
    }
    if let fault = LabelScheme.fault(ofClasses: groups.count, from: known.count) { throw fault }
    self.init(groups: groups, names: groups.map { LabelScheme.name(of: $0, labelNames) }, excluded: exclude)
  }

  /// The refusal of more classes than a network has; nil for others.
  ///
  /// - Parameter labels: number of labels, some of which may be merged or excluded.
  package static func fault(ofClasses classes: Int, from labels: Int) -> Refusal? {
    guard classes > mostClasses else { return nil }
    let left = classes == labels ? "" : ", of which \(classes) classes are left"
    return Refusal(
      .input, "The masks hold \(labels) labels above 0\(left), expected at most \(mostClasses) classes",
      remedy: "merge labels into classes (\(Setting.mergeLabels)) or leave some out (\(Setting.excludeLabels))")
  }

  /// A class name: `liver`, `peripheral zone + central gland`, or `label 1+2` if there are no names.
  static func name(of group: [LabelValue], _ labelNames: [LabelValue: String]) -> String {
    guard group.contains(where: { labelNames[$0] != nil }) else {
      return "label \(valuesText(group))"
    }
    return group.map { labelNames[$0] ?? "label \($0)" }.joined(separator: " + ")
  }

  /// The values of a group: `1+2`.
  static func valuesText(_ group: [LabelValue]) -> String { group.map(String.init).joined(separator: "+") }

  /// A name for each value, given or made up; empty if no value has a given name.
  static func names(of values: Set<LabelValue>, _ labelNames: [LabelValue: String]) -> [LabelValue: String] {
    guard values.contains(where: { labelNames[$0] != nil }) else { return [:] }
    return Dictionary(uniqueKeysWithValues: values.map { ($0, labelNames[$0] ?? "label \($0)") })
  }

  private static func check(_ merge: [[LabelValue]], known: Set<LabelValue>) throws {
    var seen: Set<LabelValue> = []
    for group in merge {
      let option = option(merge: group)
      guard group.count > 1 else { throw Refusal(.input, option, "merging needs at least two values, such as 1,2") }
      for value in group {
        guard value != 0 else {
          throw Refusal(.input, option, "0 is background and cannot be merged", remedy: "name foreground values only")
        }
        guard known.contains(value) else {
          throw Refusal(
            .input, option, "label \(value) does not occur", detail: "the data's labels are \(sentence(known))")
        }
        guard seen.insert(value).inserted else {
          throw Refusal(.input, option, "label \(value) is named twice", remedy: "name each value once")
        }
      }
    }
  }

  private static func check(exclude: [LabelValue], merge: [[LabelValue]], known: Set<LabelValue>) throws {
    let option = option(exclude: exclude)
    var seen: Set<LabelValue> = []
    for value in exclude {
      guard value != 0 else {
        throw Refusal(
          .input, option, "0 is background already", remedy: "name foreground values only")
      }
      guard known.contains(value) else {
        throw Refusal(
          .input, option, "label \(value) does not occur", detail: "the data's labels are \(sentence(known))")
      }
      if let group = merge.first(where: { $0.contains(value) }) {
        throw Refusal(
          .input, option, "label \(value) is also in \(self.option(merge: group))", remedy: "name it in one of them")
      }
      guard seen.insert(value).inserted else {
        throw Refusal(.input, option, "label \(value) is named twice", remedy: "name each value once")
      }
    }
  }

  static func option(merge group: [LabelValue]) -> String {
    "\(Setting.mergeLabels) \(group.map(String.init).joined(separator: ","))"
  }

  static func option(exclude values: [LabelValue]) -> String {
    "\(Setting.excludeLabels) \(values.map(String.init).joined(separator: ","))"
  }

  /// Maps a mask's labels to classes.
  ///
  /// - Parameter file: the mask's file, for messages.
  /// - Throws: `Refusal` at a value that no class holds.
  package func classes(of labels: LabelMap, file: String) throws -> ClassMap {
    let table = classOfValue
    let classes = try labels.voxels.map { value in
      guard let found = table[Int(value)] else {
        let expected = LabelScheme.sentence(Set(groups.joined()).union([0]))
        throw Refusal(
          .input, file, "holds label \(value), expected \(expected)",
          remedy: "correct the mask, leave the label out (\(Setting.excludeLabels)), or train with it as a class or "
            + "merged into one (\(Setting.mergeLabels))")
      }
      return found
    }
    return ClassMap(voxels: classes, geometry: labels.geometry)
  }

  /// Maps classes back to the labels in files.
  package func fileValues(of classes: ClassMap) -> LabelMap {
    let table = (0..<classCount).map(fileValue)
    return LabelMap(voxels: classes.voxels.map { table[Int($0)] }, geometry: classes.geometry)
  }

  /// The values in words: `0, 1 and 2`.
  package static func sentence(_ values: Set<LabelValue>) -> String {
    values.isEmpty ? "none" : listed(values.sorted().map(String.init), atMost: 20)
  }
}
