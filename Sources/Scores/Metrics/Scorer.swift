public import MedicalImaging

/// Scores a prediction against its reference, class by class. docs/conventions.md states the metrics.
public struct Scorer: Sendable {
  /// The classes and their file values; values in no class are not scored.
  let scheme: LabelScheme
  let tolerancesMM: [Double]
  let convention: Convention

  package static let defaultTolerancesMM: [Double] = [1, 2]

  package init(
    scheme: LabelScheme, tolerancesMM: [Double] = Scorer.defaultTolerancesMM, convention: Convention = .dualnorm
  ) {
    self.scheme = scheme
    self.tolerancesMM = tolerancesMM
    self.convention = convention
  }

  /// Scores the classes of `labels` by this program's own convention.
  public init(_ labels: LabelScheme) { self.init(scheme: labels) }

  /// One score for each foreground class. Both maps hold file values and have one geometry.
  public func scores(prediction: LabelMap, reference: LabelMap) -> [CaseScore] {
    scores(prediction: prediction, reference: reference, site: "", caseName: "", pass: "")
  }

  /// One score for each foreground class. Both maps hold file values and have one geometry; a prediction of nil is empty.
  package func scores(
    prediction: LabelMap?, reference: LabelMap, site: String, caseName: String, pass: String
  ) -> [CaseScore] {
    let rules = convention.rules
    let columns = rules.columns(tolerancesMM: tolerancesMM)
    let prediction = rules.prepared(
      prediction ?? LabelMap(repeating: 0, geometry: reference.geometry), scheme: scheme)
    let regions = ClassRegion.regions(prediction: prediction, reference: reference, scheme: scheme)
    return scheme.groups.indices.map { index in
      let comparison = ClassComparison(
        regions[index + 1], values: scheme.groups[index], prediction: prediction, reference: reference,
        rules: rules)
      return CaseScore(
        site: site, caseName: caseName, pass: pass, classIndex: index + 1, className: scheme.names[index],
        label: LabelScheme.valuesText(scheme.groups[index]), outcome: regions[index + 1].outcome,
        metrics: Dictionary(uniqueKeysWithValues: columns.map { ($0.metric, $0.value(comparison)) }))
    }
  }
}

/// The voxel counts of one class in a prediction and its reference, and the box around them.
struct ClassRegion {
  var predictionCount = 0
  var referenceCount = 0
  var commonCount = 0
  /// The box around the voxels of both.
  var box = VoxelBox()

  var outcome: Outcome { Outcome(predictionIsEmpty: predictionCount == 0, referenceIsEmpty: referenceCount == 0) }

  /// 2 |P ∩ R| / (|P| + |R|); nil if both are empty.
  var dice: Double? {
    outcome == .bothEmpty ? nil : 2 * Double(commonCount) / Double(predictionCount + referenceCount)
  }

  /// Finds the region of every class in one pass over the voxels; that of background (class 0) stays empty.
  static func regions(prediction: LabelMap, reference: LabelMap, scheme: LabelScheme) -> [ClassRegion] {
    precondition(prediction.geometry.size == reference.geometry.size, "label maps of one size are compared")
    let size = reference.geometry.size
    let classOfValue = scheme.classOfValue.map { Int($0 ?? 0) }
    var regions = [ClassRegion](repeating: ClassRegion(), count: scheme.classCount)
    prediction.voxels.withUnsafeBufferPointer { predictions in
      reference.voxels.withUnsafeBufferPointer { references in
        for z in 0..<size.z {
          for y in 0..<size.y {
            let row = (z * size.y + y) * size.x
            for x in 0..<size.x {
              let predicted = classOfValue[Int(predictions[row + x])]
              let expected = classOfValue[Int(references[row + x])]
              if predicted | expected == 0 { continue }
              if predicted > 0 { regions[predicted].addPredicted(x: x, y: y, z: z, isCommon: predicted == expected) }
              if expected > 0 { regions[expected].addExpected(x: x, y: y, z: z) }
            }
          }
        }
      }
    }
    return regions
  }

  private mutating func addPredicted(x: Int, y: Int, z: Int, isCommon: Bool) {
    predictionCount += 1
    if isCommon { commonCount += 1 }
    box.add(x: x, y: y, z: z)
  }

  private mutating func addExpected(x: Int, y: Int, z: Int) {
    referenceCount += 1
    box.add(x: x, y: y, z: z)
  }
}
