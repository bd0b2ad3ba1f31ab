import Foundation
import MedicalImaging
import Testing

@testable import Datasets
@testable import DualNorm

@Suite struct PreparationPlanTests {
  func facts(_ size: SIMD3<Int>, spacing: SIMD3<Double> = [1, 1, 1], name: String = "Case") -> CaseFacts {
    let image = URL(fileURLWithPath: "/data/\(name).nii.gz")
    return CaseFacts(
      scan: Case(name: name, site: "A", images: [image], mask: nil),
      geometry: Geometry(size: size, spacingMM: spacing))
  }

  @Test func theSmallestMultiplesOf16HoldEveryCase() throws {
    let plan = try PreparationPlan.derived(from: [facts([35, 51, 30]), facts([48, 40, 9])])
    #expect(plan.networkSize == Extent(height: 64, width: 48))
    #expect(plan.resampling == .none && plan.window == nil && plan.contextSlices == 3)
    #expect(
      plan.text()
        == "whiten per volume, no resampling, windows of 64×48 (H×W), 3 slices an input"
    )
  }

  @Test func windowsAreAsLargeAsTheNetwork() throws {
    func sizes(_ plan: PreparationPlan, _ height: Int, _ width: Int) -> [[Int]] {
      let slice = ImageSize(height: height, width: width)
      return [plan.trainingSize(of: slice), plan.windowSize(of: slice)].map { [$0.height, $0.width] }
    }
    let padding = try PreparationPlan(networkSize: Extent(height: 32, width: 48))
    #expect(sizes(padding, 20, 71) == [[32, 48], [32, 48]] && sizes(padding, 40, 40) == [[32, 48], [32, 48]])
    #expect(try sizes(PreparationPlan(), 20, 71) == [[32, 80], [32, 80]])
    let exact = try PreparationPlan(networkSize: Extent(height: 32, width: 48), padsSlices: false)
    #expect(sizes(exact, 20, 71) == [[32, 48], [20, 71]] && sizes(exact, 9, 17) == [[32, 48], [16, 17]])
    #expect(exact.text().contains("windows of 32×48 (H×W) in training, slices as they are in prediction, 3"))
    let read = try JSONDecoder().decode(PreparationPlan.self, from: JSONEncoder().encode(exact))
    #expect(read == exact && read != padding)
  }

  /// The authors' network takes slices unpadded; layer norm cannot.
  @Test func thePublishedRecipePadsNothing() throws {
    func pads(_ recipe: TrainingRecipe, _ change: (inout TrainingConfiguration) -> Void = { _ in }) throws -> Bool {
      var configuration = TrainingConfiguration(recipe)
      change(&configuration)
      let planned = try configuration.plan(for: [facts([52, 71, 5])]).preparation
      #expect(try configuration.plan().padsSlices == planned.padsSlices)
      return planned.padsSlices
    }
    #expect(try pads(.standard) && !pads(.published))
    #expect(try pads(.published) { $0.size = Extent(height: 64, width: 80) } && pads(.published) { $0.norm = .ln })
  }

  @Test func upTo384NothingIsResampledAndAboveEverythingFits384() throws {
    let at = try PreparationPlan.derived(from: [facts([384, 300, 5])])
    #expect(at.resampling == .none && at.networkSize == Extent(height: 304, width: 384))

    let cases = [facts([512, 400, 5], spacing: [0.7, 0.7, 3]), facts([320, 320, 5], spacing: [1.1, 1.1, 3])]
    let above = try PreparationPlan.derived(from: cases)
    // 512 · 0.7 = 358.4 mm, 320 · 1.1 = 352 mm; 358.4 / 384 = 0.93333 mm.
    #expect(above.resampling == .spacingMM(x: 0.9334, y: 0.9334))
    #expect(above.networkSize == Extent(height: 384, width: 384))
    #expect(above.resampledSize(cases[0].geometry) == ImageSize(height: 300, width: 384))
    #expect(above.resampledSize(cases[1].geometry) == ImageSize(height: 377, width: 377))
  }

  @Test func optionsOverride() throws {
    let cases = [facts([40, 60, 5], spacing: [0.5, 0.5, 3])]
    let spaced = try PreparationPlan.derived(
      from: cases, window: IntensityWindow(-125, 275), resampling: .spacingMM(x: 1, y: 0.25),
      contextSlices: 1)
    #expect(spaced.networkSize == Extent(height: 128, width: 32))
    #expect(
      spaced.text()
        == "clip to -125…275, whiten per volume, resample in plane to 1×0.25 mm, windows of 128×32 "
        + "(H×W), 1 slice an input")
    let sized = try PreparationPlan.derived(from: cases, resampling: .size(height: 100, width: 90))
    #expect(sized.networkSize == Extent(height: 112, width: 96))
    #expect(sized.resampledSize(cases[0].geometry) == ImageSize(height: 100, width: 90))
    let small = try PreparationPlan.derived(from: cases, networkSize: Extent(height: 32, width: 32))
    #expect(small.networkSize == Extent(height: 32, width: 32) && small.resampling == .none)
  }

  @Test func aSpacingGivesTheNearestNumberOfPixels() throws {
    let plan = try PreparationPlan(resampling: .spacingMM(x: 0.3, y: 0.1))
    let geometry = Geometry(size: [10, 9, 2], spacingMM: [0.31, 0.3, 1])
    #expect(plan.resampledSize(geometry) == ImageSize(height: 27, width: 10))
    let endless = Geometry(size: [10, 9, 2], spacingMM: [1e300, 1e-300, 1])
    #expect(plan.resampledSize(endless) == ImageSize(height: 1, width: 1_000_000_000))
  }

  @Test func slicesTheNetworkCannotTakeAreNamed() {
    let small = [facts([64, 64, 3], name: "good"), facts([64, 7, 3], name: "thin")]
    #expect(
      sentence { try PreparationPlan.derived(from: small) }
        == "/data/thin.nii.gz: slices of 7×64 pixels (H×W), expected at least 8 a side because the network halves them "
        + "4 times; leave this volume out or give a finer --spacing.")
    #expect(
      sentence { try PreparationPlan.derived(from: [facts([5000, 64, 3])], resampling: .spacingMM(x: 1, y: 1)) }
        == "/data/Case.nii.gz: slices of 64×5000 pixels (H×W) after resampling, expected at most 4096 a side; give a "
        + "coarser --spacing.")
    #expect(
      sentence { try PreparationPlan.derived(from: []) }
        == "There are no cases to derive the preparation from; check the split.")
  }

  @Test func valuesNoNetworkTakesAreRefused() {
    for (make, message) in [
      (
        { try PreparationPlan(window: IntensityWindow(275, -125)) },
        "The window 275.0 to -125.0 must go from a lower to a higher intensity, such as -125 to 275."
      ),
      (
        { try PreparationPlan(resampling: .spacingMM(x: 0, y: 1)) },
        "The spacing 0.0×1.0 mm must lie between 0.001 and 1000 mm, such as 0.625×0.625."
      ),
      (
        { try PreparationPlan(resampling: .size(height: 4, width: 64)) },
        "The size 4×64 to resample to must lie between 8 and 4096 pixels a side."
      ),
      (
        { try PreparationPlan(networkSize: Extent(height: 100, width: 0)) },
        "The network's size 100×0 must be multiples of 16 from 16 to 4096, such as 112×16."
      ),
      (
        { try PreparationPlan(contextSlices: 2) },
        "The number of context slices is 2; it must be odd (a slice and as many neighbours on each side) and at most 99, "
          + "such as 3."
      ),
    ] as [(() throws -> PreparationPlan, String)] {
      #expect(sentence(make) == message)
    }
  }

  @Test func aPlanIsReadableJSONAndComesBack() throws {
    let plans = try [
      PreparationPlan(),
      PreparationPlan(
        window: IntensityWindow(-125, 275), resampling: .spacingMM(x: 0.5, y: 0.75),
        networkSize: Extent(height: 384, width: 320), contextSlices: 5),
      PreparationPlan(resampling: .size(height: 100, width: 90)),
    ]
    for plan in plans {
      #expect(try JSONDecoder().decode(PreparationPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(
      try String(decoding: encoder.encode(plans[1]), as: UTF8.self)
        == #"{"context_slices":5,"network_size":[384,320],"spacing_mm":[0.5,0.75],"window":[-125,275]}"#)
  }

  @Test func aSavedPlanIsCheckedWhenRead() {
    for (json, message) in [
      (
        #"{"context_slices": 3, "window": [2, 1]}"#,
        "The window 2.0 to 1.0 must go from a lower to a higher intensity, such as -125 to 275."
      ),
      (#"{"context_slices": 3, "size": [64]}"#, "The preparation's size has 1 value, expected two."),
      (
        #"{"context_slices": 3, "size": [64, 64], "spacing_mm": [1, 1]}"#,
        "The preparation has both spacing_mm and size; keep one."
      ),
    ] {
      #expect(sentence { try JSONDecoder().decode(PreparationPlan.self, from: Data(json.utf8)) } == message)
    }
  }
}
