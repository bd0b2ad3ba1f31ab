import Basics
import Foundation
import MedicalImaging
import Scores

/// The description of a model from nnU-Net's plans.
struct NNUNetModelBuilder {
  let plans: NNUNetPlans
  let dataset: NNUNetDataset
  /// The file of the plans, and the name of the configuration in it.
  let file: String
  let name: String

  private var configuration: NNUNetPlans.Configuration { plans.configuration }

  private func fault(_ found: String, _ remedy: String) -> Refusal {
    Refusal(.input, file, "the configuration \(quoted(name)) \(found)", remedy: remedy)
  }

  /// - Throws: `Refusal` for anything in the plans that this program does not do.
  func description() throws -> ModelDescription {
    guard configuration.previousStage == nil else {
      throw fault(
        "is the second stage of a cascade after \(quoted(configuration.previousStage!))",
        "give a model of 2d, 3d_fullres or 3d_lowres")
    }
    let network = try networkPlan()
    let dimensions = network.levels.dimensions
    guard configuration.patchSize.count == dimensions, configuration.spacing.count == dimensions else {
      throw fault(
        "has a patch of \(configuration.patchSize.count) sides and \(configuration.spacing.count) spacings for a "
          + "network of \(dimensions) axes", "restore the file")
    }
    let spacing = Array(configuration.spacing.reversed())
    let preparation = try PreparationPlan(
      resampling: .spacingMM(x: spacing[0], y: spacing[1], z: dimensions == 3 ? spacing[2] : nil),
      networkSize: Extent(configuration.patchSize), contextSlices: 1, orientation: try orientation(),
      multiples: network.levels.multiples,
      nnUNet: try preparationSteps())
    return ModelDescription(
      network: network, preparation: preparation, labels: dataset.labels, modalities: dataset.channels,
      largestComponents: .undecided(classes: dataset.labels.groups.count))
  }

  // MARK: Network

  private func networkPlan() throws -> NetworkPlan {
    let (architecture, stages, levels) = try structure()
    var plan = NetworkPlan(
      architecture, levels: levels, classes: dataset.labels.classCount, inputChannels: dataset.channels.count,
      width: stages.channels[0], largestWidth: stages.channels.max(), norm: .in, deepSupervision: levels.depth > 1)
    plan.stages = stages
    do {
      try plan.validate()
    } catch let error as Refusal {
      throw error.about(file)
    }
    return plan
  }

  private func structure() throws -> (Architecture, Stages, Levels) {
    guard let network = configuration.architecture else { return try earlierStructure() }
    let arguments = network.archKwargs
    let kind = try architecture(network.networkClassName)
    let isResidual = kind == .nnunetResidual
    guard let encoder = isResidual ? arguments.nBlocksPerStage : arguments.nConvPerStage else {
      throw fault("does not say how many convolutions a stage has", "restore the file")
    }
    guard arguments.convBias, arguments.normOp.contains("InstanceNorm"), arguments.normOpKwargs.affine == true,
      arguments.normOpKwargs.eps ?? 1e-5 == 1e-5, arguments.nonlin.hasSuffix("LeakyReLU"),
      arguments.nonlinKwargs?.negativeSlope ?? 0.01 == 0.01
    else {
      throw fault(
        "has a network with \(arguments.normOp) and \(arguments.nonlin)",
        "give one with nnU-Net's instance norms, LeakyReLU and biases")
    }
    let stages = Stages(
      isResidual: isResidual, channels: arguments.featuresPerStage, encoder: encoder,
      decoder: arguments.nConvPerStageDecoder)
    return (kind, stages, try levels(kernels: arguments.kernelSizes, strides: arguments.strides, stages))
  }

  /// The network of plans before nnU-Net 2.4.
  private func earlierStructure() throws -> (Architecture, Stages, Levels) {
    guard let network = configuration.unetClassName, let width = configuration.unetBaseNumFeatures,
      let kernels = configuration.convKernelSizes, let strides = configuration.poolOpKernelSizes,
      let encoder = configuration.nConvPerStageEncoder, let decoder = configuration.nConvPerStageDecoder,
      let widest = configuration.unetMaxNumFeatures, (1...4096).contains(width), kernels.count <= 16
    else { throw fault("names no network that this program knows", "give a model that nnU-Net 2.0 to 2.8 trained") }
    let kind = try architecture(network)
    let stages = Stages(
      isResidual: kind == .nnunetResidual, channels: kernels.indices.map { min(width << $0, widest) }, encoder: encoder,
      decoder: decoder)
    return (kind, stages, try levels(kernels: kernels, strides: strides, stages))
  }

  private func architecture(_ name: String) throws -> Architecture {
    switch name.split(separator: ".").last {
    case "PlainConvUNet": return .nnunet
    case "ResidualEncoderUNet": return .nnunetResidual
    default: throw fault("has the network \(quoted(name))", "give one of PlainConvUNet or ResidualEncoderUNet")
    }
  }

  private func levels(kernels: [[Int]], strides: [[Int]], _ stages: Stages) throws -> Levels {
    let levels = Levels(poolings: Array(strides.dropFirst()), kernels: kernels)
    guard strides.first?.allSatisfy({ $0 == 1 }) == true, strides.count == kernels.count, levels.areValid,
      stages.fit(depth: levels.depth)
    else {
      throw fault(
        "has the kernels \(kernels) and strides \(strides) in \(stages.channels.count) stages",
        "give a network with kernels of 1 and 3 and strides of 1 and 2, the first of 1")
    }
    return levels
  }

  // MARK: Preparation

  /// The orientation to which nnU-Net's reader turns volumes; nil where it takes them as stored.
  private func orientation() throws -> Orientation? {
    switch plans.reader {
    case "SimpleITKIO", "NibabelIO": return nil
    case "NibabelIOWithReorient": return Orientation(code: "RAS")
    default:
      throw Refusal(
        .input, file, "reads images by \(quoted(plans.reader))",
        remedy: "give a model whose plans name SimpleITKIO, NibabelIO or NibabelIOWithReorient")
    }
  }

  private func preparationSteps() throws -> NNUNetPreparation {
    guard configuration.preprocessorName == "DefaultPreprocessor" else {
      throw fault(
        "prepares images by \(quoted(configuration.preprocessorName))", "give a model of DefaultPreprocessor")
    }
    let resampling = [
      (configuration.resamplingFnData, configuration.resamplingFnDataKwargs, 3),
      (configuration.resamplingFnProbabilities, configuration.resamplingFnProbabilitiesKwargs, 1),
    ]
    for (function, arguments, order) in resampling {
      guard function == "resample_data_or_seg_to_shape", arguments.order == order, arguments.orderZ == 0,
        arguments.forceSeparateZ == nil
      else {
        throw fault(
          "resamples by \(quoted(function)) of order \(arguments.order)",
          "give a model with nnU-Net's default, resample_data_or_seg_to_shape of order \(order)")
      }
    }
    return NNUNetPreparation(transposition: plans.transposition, normalizations: try normalizations())
  }

  private func normalizations() throws -> [NNUNetPreparation.Normalization] {
    let schemes = configuration.normalizationSchemes
    guard schemes.count == dataset.channels.count, configuration.useMaskForNorm.count == schemes.count else {
      throw fault(
        "normalizes \(schemes.count) channels, and dataset.json has \(dataset.channels.count)", "restore the files")
    }
    return try schemes.indices.map { index in
      switch schemes[index] {
      case "ZScoreNormalization": return .zScore(isMasked: configuration.useMaskForNorm[index])
      case "NoNormalization": return .none
      case "RescaleTo01Normalization": return .unitRange
      case "RGBTo01Normalization": return .rgb
      case "CTNormalization":
        guard let found = plans.intensities["\(index)"], found.low < found.high else {
          throw fault("has no intensities of the channel \(index)", "restore the file")
        }
        return .ct(low: found.low, high: found.high, mean: found.mean, deviation: found.std)
      default:
        throw fault(
          "normalizes by \(quoted(schemes[index]))",
          "give a model of nnU-Net's own schemes, such as ZScoreNormalization and CTNormalization")
      }
    }
  }
}
