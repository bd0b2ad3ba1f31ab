import Foundation
import MedicalImaging
import Scores
import Torch

@testable import DualNorm

/// A network whose passes differ clearly, with sizes of images to run it on.
struct ExportedGraph: Sendable, CustomStringConvertible {
  let description: String
  let plan: NetworkPlan
  /// Batches and sizes of images.
  let sizes: [[Int]]
  let site: Int?
  let padsSlices: Bool
  let output: ExportedOutput

  init(
    _ description: String, _ plan: NetworkPlan, sizes: [[Int]]? = nil, site: Int? = nil, padsSlices: Bool = true,
    output: ExportedOutput = .probabilities
  ) {
    (self.description, self.plan, self.site) = (description, plan, site)
    (self.padsSlices, self.output) = (padsSlices, output)
    self.sizes = sizes ?? (plan.norm == .ln ? [[2] + plan.size!.sizes] : Self.sizes(of: plan))
  }

  /// A network with the weights of `seed`, whose running statistics and last convolution are not those of a new one.
  func network(seed: UInt64 = 3) throws -> DualNormNetwork {
    let network = try DualNormNetwork(plan, seed: seed)
    let generator = Generator(seed: 5)
    withoutGradients {
      for entry in network.parameters.entries {
        if entry.name.hasSuffix("running_mean") { entry.tensor.fillUniform(-0.3, 0.3, generator) }
        if entry.name.hasSuffix("running_var") { entry.tensor.fillUniform(0.5, 2, generator) }
        let isOutput = entry.name.hasPrefix("outc")
        if isOutput && entry.isWeight && plan.norm != .in { entry.tensor.assign(entry.tensor * 8) }
      }
    }
    network.fusesOperations = false
    return network
  }

  func model() throws -> TrainedModel {
    let network = try network()
    let size = plan.size ?? (plan.levels.dimensions == 3 ? Extent(plan.levels.multiples) : nil)
    return TrainedModel(
      description: ModelDescription(
        network: plan,
        preparation: try PreparationPlan(
          networkSize: size, contextSlices: 1, padsSlices: padsSlices, multiples: plan.levels.multiples),
        labels: LabelScheme(groups: (1..<plan.classes).map { [LabelValue($0)] }), modalities: ["T1", "T2"],
        sites: plan.sites > 1 ? (0..<plan.sites).map { "S\($0)" } : []),
      weights: network.parameters.stateDictionary, network: network)
  }

  /// The outputs for images of noise, by the names that the graph gives them.
  func expected(_ images: Tensor, _ network: DualNormNetwork) -> [String: Tensor] {
    withoutGradients {
      let found =
        site == nil && plan.sites > 1
        ? BranchEnsemble(network: network).probabilities(of: images, labels: nil)
        : TrainedNetwork(network: network, site: site).probabilities(of: images)
      let last = found.keys.contains(.final) ? Pass.final : .first
      return Dictionary(
        uniqueKeysWithValues: found.map { pass, probabilities in
          let values = output == .mask ? probabilities.largestChannel() : probabilities
          return ((pass == last ? "" : "first_") + output.rawValue, values)
        })
    }
  }

  /// Instance norm of a few pixels amplifies rounding, so its images are larger.
  private static func sizes(of plan: NetworkPlan) -> [[Int]] {
    switch (plan.levels.dimensions == 3, plan.norm == .in) {
    case (false, false): [[2, 32, 48], [1, 48, 16], [3, 16, 32]]
    case (false, true): [[1, 128, 96], [2, 96, 112], [1, 112, 128]]
    case (true, false): [[2, 4, 16, 24], [1, 6, 8, 16], [1, 2, 32, 8]]
    case (true, true): [[1, 8, 48, 64], [2, 8, 64, 48], [1, 12, 48, 48]]
    }
  }

  static func plan(
    _ architecture: Architecture = .residualUNet, _ norm: PlainNorm = .bn, classes: Int = 3, isOfVolumes: Bool = false,
    _ configure: (inout DualPlan) -> Void = { _ in }
  ) -> NetworkPlan {
    let levels = Levels(
      poolings: [[1, 2, 2], [2, 2, 2], [1, 2, 2]], kernels: [[1, 3, 3]] + Array(repeating: [3, 3, 3], count: 3))
    var dual = DualPlan(architecture.blocks(depth: isOfVolumes ? 3 : 4).prefix(3).map(\.name))
    configure(&dual)
    let size = isOfVolumes ? Extent(depth: 4, height: 16, width: 24) : Extent(height: 32, width: 48)
    return NetworkPlan(
      architecture, levels: isOfVolumes ? levels : .slices, classes: classes, inputChannels: 2, width: 16, norm: norm,
      dual: dual, size: norm == .ln ? size : nil, sites: norm == .dsbn ? 2 : 1)
  }

  /// Networks that pad within, for slices of any size.
  private static var unpadded: [ExportedGraph] {
    let sizes = [[1, 33, 47], [2, 32, 50], [1, 21, 64]]
    var plans = [Architecture.residualUNet, .nestedUNet, .attentionUNet, .vnet].map { ("unpadded-\($0)", plan($0)) }
    plans.append(("unpadded-hard", plan { $0.maskKind = .hard }))
    return plans.map { ExportedGraph($0, $1, sizes: sizes, padsSlices: false) }
  }

  static let all: [ExportedGraph] = {
    var graphs: [ExportedGraph] = []
    for isOfVolumes in [false, true] {
      let place = isOfVolumes ? "3d" : "2d"
      for norm in PlainNorm.allCases {
        for mask in MaskKind.allCases {
          let classes = mask == .soft ? 3 : 2
          graphs.append(
            ExportedGraph(
              "\(place)-\(norm)-\(mask)",
              plan(.residualUNet, norm, classes: classes, isOfVolumes: isOfVolumes) { $0.maskKind = mask }))
        }
      }
      for architecture in Architecture.allCases where architecture != .residualUNet {
        let norm = architecture.isNNUNet ? PlainNorm.in : .bn
        graphs.append(ExportedGraph("\(place)-\(architecture)", plan(architecture, norm, isOfVolumes: isOfVolumes)))
      }
      graphs += [
        ExportedGraph(
          "\(place)-measured", plan(isOfVolumes: isOfVolumes) { $0.localStatistics = .measured }),
        ExportedGraph("\(place)-mask", plan(isOfVolumes: isOfVolumes), output: .mask),
      ]
    }
    var plain = plan()
    plain.dual = nil
    return graphs + [
      ExportedGraph("site", plan(.residualUNet, .dsbn), site: 1),
      ExportedGraph("uniform", plan { $0.maskSource = .uniform }),
      ExportedGraph("plain", plain),
    ] + unpadded
  }()
}
