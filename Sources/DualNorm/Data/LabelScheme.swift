import MedicalImaging

/// Which values of a mask file are which class of the network.
///
/// Class 0 is background (value 0); class k holds every file value in `groups[k − 1]`, and is written to files as the
/// first of them. Values in no group are an error, not background.
public struct LabelScheme: Codable, Equatable, Sendable {
  /// The file values of each foreground class, for example `[[1, 2]]` for a prostate merged from two zones.
  public let groups: [[UInt8]]
  /// A name for each foreground class.
  public let names: [String]

  public init(groups: [[UInt8]], names: [String]? = nil) {
    self.groups = groups
    self.names = names ?? groups.map { "label \($0.map(String.init).joined(separator: "+"))" }
  }

  /// Classes of the network, background included.
  public var classCount: Int { groups.count + 1 }

  /// The value that class `index` has in files.
  public func fileValue(ofClass index: Int) -> UInt8 { index == 0 ? 0 : groups[index - 1][0] }

  /// The class of each of the 256 file values; nil where the scheme has none.
  public var classOfValue: [UInt8?] {
    var table = [UInt8?](repeating: nil, count: 256)
    table[0] = 0
    for (index, group) in groups.enumerated() {
      for value in group { table[Int(value)] = UInt8(index + 1) }
    }
    return table
  }
}

extension LabelScheme {
  /// Every foreground value a class of its own, in ascending order, except those merged.
  ///
  /// - Parameters:
  ///   - values: the values that occur in the masks; used where `labelNames` is empty.
  ///   - labelNames: the values of `dataset.json` and their names.
  ///   - merge: values that become one class; it is written as the first of them.
  /// - Throws: `InputError` for values that cannot be merged, or where no foreground is left.
  public init(values: Set<UInt8>, labelNames: [UInt8: String] = [:], merge: [[UInt8]] = []) throws {
    let known = (labelNames.isEmpty ? values : Set(labelNames.keys)).subtracting([0])
    try LabelScheme.check(merge, known: known)
    let merged = Set(merge.joined())
    let groups = (merge + known.subtracting(merged).map { [$0] }).sorted { $0.min() ?? 0 < $1.min() ?? 0 }
    guard !groups.isEmpty else {
      throw InputError("The masks hold no label but 0 (background), so there is nothing to learn; check the masks.")
    }
    self.groups = groups
    names = groups.map { group in
      let named = group.compactMap { labelNames[$0] }
      return named.isEmpty
        ? "label \(group.map(String.init).joined(separator: "+"))" : named.joined(separator: "+")
    }
  }

  private static func check(_ merge: [[UInt8]], known: Set<UInt8>) throws {
    var seen: Set<UInt8> = []
    for group in merge {
      let option = "--merge-labels \(group.map(String.init).joined(separator: ","))"
      guard group.count > 1 else { throw InputError("\(option): merging needs at least two values, such as 1,2.") }
      for value in group {
        guard value != 0 else {
          throw InputError("\(option): 0 is background and cannot be merged; name foreground values only.")
        }
        guard known.contains(value) else {
          throw InputError("\(option): label \(value) does not occur; the data's labels are \(sentence(known)).")
        }
        guard seen.insert(value).inserted else {
          throw InputError("\(option): label \(value) is named twice; name each value once.")
        }
      }
    }
  }

  /// The values of one `--merge-labels` option, `[1, 2]` of `1,2`.
  ///
  /// - Throws: `InputError` for anything but integers from 1 to 255.
  public static func mergeGroup(_ option: String) throws -> [UInt8] {
    try option.split(separator: ",", omittingEmptySubsequences: false).map { field in
      guard let value = UInt8(field.filter { $0 != " " }) else {
        throw InputError(
          "--merge-labels \(quoted(option)): expected label values from 1 to 255 separated by commas, such as 1,2.")
      }
      return value
    }
  }

  /// The classes of a mask's voxels.
  ///
  /// - Parameter file: the mask's file, for messages.
  /// - Throws: `InputError` at a value that no class holds.
  public func classes(of labels: LabelMap, file: String) throws -> LabelMap {
    let table = classOfValue
    let classes = try labels.voxels.map { value in
      guard let found = table[Int(value)] else {
        let expected = LabelScheme.sentence(Set(groups.joined()).union([0]))
        throw InputError(
          "\(file): holds label \(value), expected \(expected); correct the mask, or train with this label as a class or "
            + "merged into one (--merge-labels).")
      }
      return found
    }
    return LabelMap(voxels: classes, geometry: labels.geometry)
  }

  /// The way back: the values that `classes` have in files.
  public func fileValues(of classes: LabelMap) -> LabelMap {
    let table = (0..<classCount).map(fileValue)
    return LabelMap(voxels: classes.voxels.map { table[Int($0)] }, geometry: classes.geometry)
  }

  /// `0, 1 and 2`
  static func sentence(_ values: Set<UInt8>) -> String {
    values.isEmpty ? "none" : listed(values.sorted().map(String.init), atMost: 20)
  }
}

extension LabelScheme {
  /// Reads a saved scheme and refuses one that contradicts itself.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    groups = try container.decode([[UInt8]].self, forKey: .groups)
    names = try container.decode([String].self, forKey: .names)
    let values = groups.joined()
    guard !groups.isEmpty, groups.allSatisfy({ !$0.isEmpty }), !values.contains(0), Set(values).count == values.count,
      names.count == groups.count
    else {
      throw InputError(
        "The label scheme must have a name and at least one value from 1 to 255 for each class, and no value twice.")
    }
  }
}
