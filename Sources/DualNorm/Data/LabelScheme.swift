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
