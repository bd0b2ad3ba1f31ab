import Basics
import MedicalImaging

/// Coded for `model.json`: `{"window": [-125, 275], "spacing_mm": [0.5, 0.5], "network_size": [384, 384],
/// "context_slices": 3}`. Sizes are [height, width], spacings [x, y]; networks for volumes have sizes [depth, height,
/// width] and spacings [x, y, z]. A missing key takes the default of `PreparationPlan.init`; only `context_slices` is
/// required.
extension PreparationPlan: Codable {
  private enum CodingKeys: String, CodingKey {
    case window
    case spacingMM = "spacing_mm"
    case size
    case networkSize = "network_size"
    case contextSlices = "context_slices"
    case whitening, moments, orientation
    case padsSlices = "pads_slices"
    case nnUNet = "nnunet"
  }

  /// - Throws: `DecodingError` for another structure, `Refusal` for values that no plan can have.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func numbers<Number: Decodable>(_ key: CodingKeys, _ counts: ClosedRange<Int> = 2...2) throws -> [Number]? {
      guard let values = try container.decodeIfPresent([Number].self, forKey: key) else { return nil }
      guard counts.contains(values.count) else {
        throw Refusal(
          .input,
          "The preparation's \(key.rawValue) has \(counted(values.count, "value")), expected two"
            + (counts.contains(3) ? ", or three for volumes" : ""))
      }
      return values
    }
    let spacing: [Double]? = try numbers(.spacingMM, 2...3)
    let size: [Int]? = try numbers(.size)
    let window: [Double]? = try numbers(.window)
    let networkSize: [Int]? = try numbers(.networkSize, 2...3)
    guard spacing == nil || size == nil else {
      throw Refusal(.input, "The preparation has both spacing_mm and size", remedy: "keep one")
    }
    let code = try container.decodeIfPresent(String.self, forKey: .orientation)
    let orientation = code.flatMap(Orientation.init(code:))
    guard (code == nil) == (orientation == nil) else {
      throw Refusal(
        .input,
        "The preparation's orientation is \"\(quoted(code ?? ""))\", expected one letter each of L or R, P or A, S or "
          + "I, such as LPS")
    }
    let resampling = spacing.map { Resampling.spacingMM(x: $0[0], y: $0[1], z: $0.count == 3 ? $0[2] : nil) }
    try self.init(
      window: window.map { IntensityWindow($0[0], $0[1]) },
      resampling: resampling ?? size.map { .size(height: $0[0], width: $0[1]) } ?? .none,
      networkSize: networkSize.map(Extent.init),
      contextSlices: container.decode(Int.self, forKey: .contextSlices),
      whitening: container.decodeIfPresent(Whitening.self, forKey: .whitening) ?? .volume,
      orientation: orientation, padsSlices: container.decodeIfPresent(Bool.self, forKey: .padsSlices) ?? true,
      multiples: networkSize?.count == 3
        ? [1, 1, 1] : container.contains(.nnUNet) ? [1, 1] : Levels.slices.multiples,
      moments: container.decodeIfPresent(Moments.self, forKey: .moments),
      nnUNet: container.decodeIfPresent(NNUNetPreparation.self, forKey: .nnUNet))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(window, forKey: .window)
    switch resampling {
    case .none: break
    case .spacingMM(let x, let y, let z): try container.encode([x, y] + (z.map { [$0] } ?? []), forKey: .spacingMM)
    case .size(let height, let width): try container.encode([height, width], forKey: .size)
    }
    try container.encodeIfPresent(networkSize, forKey: .networkSize)
    try container.encode(contextSlices, forKey: .contextSlices)
    if whitening != .volume { try container.encode(whitening, forKey: .whitening) }
    try container.encodeIfPresent(moments, forKey: .moments)
    try container.encodeIfPresent(orientation?.code, forKey: .orientation)
    try container.encodeIfPresent(nnUNet, forKey: .nnUNet)
    if !padsSlices { try container.encode(padsSlices, forKey: .padsSlices) }
  }
}
