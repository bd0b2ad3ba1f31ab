import Basics

/// Coded as `{"transpose_forward": [0, 1, 2], "normalizations": [{"scheme": "ct", "low": -57, "high": 164, "mean": 99,
/// "deviation": 39}, {"scheme": "z-score", "inside_mask": true}]}`.
extension NNUNetPreparation: Codable {
  private enum CodingKeys: String, CodingKey {
    case transposition = "transpose_forward"
    case normalizations
  }

  /// - Throws: `Refusal` for axes that are no order of 0, 1 and 2.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    transposition = try container.decode([Int].self, forKey: .transposition)
    normalizations = try container.decode([Normalization].self, forKey: .normalizations)
    guard transposition.sorted() == [0, 1, 2] else {
      throw Refusal(
        .input, "The preparation's transpose_forward is \(transposition), expected an order of 0, 1 and 2",
        remedy: "restore the file")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(transposition, forKey: .transposition)
    try container.encode(normalizations, forKey: .normalizations)
  }
}

extension NNUNetPreparation.Normalization: Codable {
  private enum CodingKeys: String, CodingKey {
    case scheme, low, high, mean, deviation
    case isMasked = "inside_mask"
  }

  private enum Scheme: String, Codable {
    case zScore = "z-score"
    case ct, none, rgb
    case unitRange = "unit-range"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try container.decode(Double.self, forKey: key) }
    switch try container.decode(Scheme.self, forKey: .scheme) {
    case .zScore: self = .zScore(isMasked: try container.decode(Bool.self, forKey: .isMasked))
    case .ct:
      self = .ct(
        low: try number(.low), high: try number(.high), mean: try number(.mean), deviation: try number(.deviation))
    case .none: self = .none
    case .unitRange: self = .unitRange
    case .rgb: self = .rgb
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(scheme, forKey: .scheme)
    switch self {
    case .zScore(let isMasked): try container.encode(isMasked, forKey: .isMasked)
    case .ct(let low, let high, let mean, let deviation):
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encode(mean, forKey: .mean)
      try container.encode(deviation, forKey: .deviation)
    case .none, .unitRange, .rgb: break
    }
  }

  private var scheme: Scheme {
    switch self {
    case .zScore: .zScore
    case .ct: .ct
    case .none: .none
    case .unitRange: .unitRange
    case .rgb: .rgb
    }
  }
}
