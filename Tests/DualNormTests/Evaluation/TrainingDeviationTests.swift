import Foundation
import MedicalImaging
import Testing

@testable import Basics
@testable import Datasets
@testable import DualNorm
@testable import Scores

@Suite struct TrainingDeviationTests {
  private let plan = try! PreparationPlan()

  /// Facts of a noise volume; `median` is the median's position between dark and bright.
  private func facts(
    _ size: SIMD3<Int> = [64, 48, 20], spacing: SIMD3<Double> = [1, 1, 3], scale: Float = 1, median: Float = 0.5,
    ending: String = "nii.gz"
  ) -> CaseFacts {
    let quantiles = (0...100).map { index -> Float in
      let share = Float(index) / 100
      return scale * (index <= 50 ? 2 * share * median : median + (2 * share - 1) * (1 - median))
    }
    return CaseFacts(
      scan: Case(name: "C", site: "A", images: [URL(fileURLWithPath: "/C.\(ending)")], mask: nil),
      geometry: Geometry(size: size, spacingMM: spacing), profile: CaseProfile(quantiles: [quantiles]))
  }

  private func texts(
    _ fact: CaseFacts, _ training: [CaseFacts], _ plan: PreparationPlan? = nil, modalities: [String] = ["image"]
  ) throws -> [String] {
    let plan = plan ?? self.plan
    let profile = try #require(TrainingProfile(of: training.map { SeenVolume($0, plan) }, window: plan.window))
    return profile.deviations(of: SeenVolume(fact, plan), plan, modalities: modalities).map(\.text)
  }

  @Test func saysWhichAndHowFar() throws {
    let few = [facts(spacing: [0.9, 0.9, 3]), facts([80, 48, 24], spacing: [1.1, 1.1, 3.6], median: 0.4)]
    let training = few + few + few + few + few
    for near in training + [facts([40, 96, 9], spacing: [0.7, 1.5, 6], scale: 1e6, median: 0.6)] {
      #expect(try texts(near, training) == [])
    }
    #expect(
      try texts(facts(spacing: [3.6, 1, 9]), training) == [
        "spacing of pixels 3.6 mm where training had 0.9 to 1.1", "spacing of slices 9 mm where training had 3 to 3.6",
      ])
    #expect(
      try texts(facts([20, 200, 20]), training) == ["sides of slices 20 to 200 pixels where training had 48 to 80"])
    #expect(try texts(facts([64, 48, 1]), training) == ["number of slices 1 where training had 20 to 24"])
    #expect(
      try texts(facts(median: 0.02), training) == [
        "median intensity at 2 % between dark and bright where training had 40 to 50"
      ])
    // A few volumes do not show the usual range.
    #expect(try texts(facts(median: 0.02), few) == [])
    #expect(try texts(facts(ending: "png"), training) == ["pictures where training had volumes"])
  }

  /// The comparison uses the network's input, turned and resampled.
  @Test func comparesWhatTheNetworkSees() throws {
    let resampling = try PreparationPlan(resampling: .spacingMM(x: 1, y: 1))
    #expect(try texts(facts([16, 12, 20], spacing: [4, 4, 3]), [facts()], resampling) == [])
    let lps = Geometry(size: [64, 20, 48], spacingMM: [1, 3, 1], direction: [1, 0, 0, 0, 0, 1, 0, 1, 0])
    let turned = CaseFacts(scan: facts().scan, geometry: lps)
    #expect(try texts(turned, [facts()]).count == 3)
    #expect(try texts(turned, [facts()], PreparationPlan(orientation: Orientation(code: "LPS"))) == [])
  }

  /// A window preserves the scale, as for CT.
  @Test func aWindowMakesTheScaleMatter() throws {
    let windowed = try PreparationPlan(window: IntensityWindow(0, 100))
    let training = (0..<10).map { facts(scale: $0 % 2 == 0 ? 100 : 90) }
    #expect(try texts(facts(scale: 95), training, windowed) == [])
    #expect(
      try texts(facts(scale: 1000), training, windowed, modalities: ["CT", "PET"]) == [
        "50th percentile of intensities of CT at 100 % of the window where training had 45 to 50"
      ])
  }

  @Test func isKeptInTheModel() throws {
    let profile = try #require(TrainingProfile(of: [facts(), facts([32, 32, 2])].map { SeenVolume($0, plan) }))
    let data = try JSONEncoder().encode(profile)
    #expect(try JSONDecoder().decode(TrainingProfile.self, from: data) == profile)
    let keys = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(keys["sides"] as? [Int] == [32, 64] && keys["slices_mm"] as? [Double] == [3, 3])
    #expect(TrainingProfile(of: []) == nil)
  }

  @Test func equalOnesAreOneSentence() throws {
    let description = ModelDescription(
      network: NetworkPlan(classes: 2), preparation: plan, labels: LabelScheme(groups: [[1]]),
      modalities: ["image"])
    var far = FarVolumes(description)
    func spacing(_ value: Double) -> TrainingDeviation {
      TrainingDeviation(quantity: "spacing of pixels", found: value...value, known: "1", unit: "mm")
    }
    for (index, value) in [4.0, 3, 5, 3].enumerated() { far.add([spacing(value)], of: "/\(index).nii") }
    far.add([TrainingDeviation(quantity: "pictures", known: "volumes")], of: "/a.png")
    let (_, warnings) = Warnings.collecting { far.report() }
    #expect(
      warnings == [
        "/0.nii, /1.nii, /2.nii and 1 more: far from what the model learnt from, spacing of pixels 3 to 5 mm where training had "
          + "1; look whether the masks can be right.",
        "/a.png: far from what the model learnt from, pictures where training had volumes; look whether the mask can be right.",
      ])
  }
}

/// Held-out cases of real data are near the others; another organ's cases are not.
@Suite(.enabled(if: hasSharedData, "needs ../shared/data"))
struct TrainingDeviationRealDataTests {
  private func facts(_ name: String) throws -> [CaseFacts] {
    DataCheck.run(on: try Dataset(contentsOf: sharedData.appendingPathComponent(name))).facts
  }

  private func far(_ tested: [CaseFacts], from training: [CaseFacts]) throws -> [String: [String]] {
    let plan = try PreparationPlan.derived(from: training)
    let profile = try #require(TrainingProfile(of: training.map { SeenVolume($0, plan) }))
    let found = tested.map { fact in
      (fact.scan.identifier, profile.deviations(of: SeenVolume(fact, plan), plan, modalities: ["image"]).map(\.text))
    }
    return Dictionary(uniqueKeysWithValues: found.filter { !$0.1.isEmpty })
  }

  /// Five folds of each data set, and each site against the others.
  @Test(arguments: ["hippocampus", "lgg", "prostate"]) func heldOutCasesAreNear(name: String) throws {
    let facts = try facts(name)
    for fold in 0..<5 {
      let sides = Dictionary(grouping: facts.enumerated(), by: { $0.offset % 5 == fold }).mapValues {
        $0.map(\.element)
      }
      #expect(try far(sides[true]!, from: sides[false]!) == [:])
    }
    for site in Set(facts.map(\.scan.site)) where name != "hippocampus" {
      let sides = Dictionary(grouping: facts, by: { $0.scan.site == site })
      #expect(try far(sides[true]!, from: sides[false]!) == [:], "\(site)")
    }
  }

  @Test func anotherOrganIsFar() throws {
    let (hippocampus, glioma) = (try facts("hippocampus"), try facts("lgg"))
    #expect(try far(hippocampus, from: glioma).count == hippocampus.count)
    #expect(try far(glioma, from: hippocampus).count == glioma.count)
  }
}
