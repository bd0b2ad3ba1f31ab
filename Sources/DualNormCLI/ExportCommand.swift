import ArgumentParser
import Basics
import DualNorm
import Foundation
import ONNX
import Torch

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model for other programs: weights, an ONNX graph, or a folder for MONAI or Triton.",
    discussion: """
      Examples:
        dualnorm export --model RUN --output MODEL
        dualnorm export --model RUN --output model.onnx --format onnx

      weights writes MODEL/model.safetensors and MODEL/model.json, which predict and evaluate take as a run. pth writes \
      the weights for torch.load. Both leave outputs for deep supervision out, so that the reference network in PyTorch \
      loads them with load_state_dict(strict=True).

      onnx writes one file with both passes and all weights in float32, for ONNX Runtime, OpenVINO and others. Its input \
      is what the network sees in a window; batch and size are free. The file says in words and as JSON how to prepare \
      volumes and how to make a mask of its outputs.

      bundle writes a bundle of MONAI, with the graph, the weights and metadata. triton writes a model of a repository \
      of Triton Inference Server.

      An unfinished training exports its best weights so far.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case weights, pth, onnx, bundle, triton

    var hasGraph: Bool { self != .weights && self != .pth }
  }

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The run folder of the model.", valueName: "run"), completion: .directory)
  var model: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A new folder; for pth and onnx a new file, for triton REPOSITORY/NAME.", valueName: "dir|file"),
    completion: .file())
  var output: String
  @Option(help: "What to write.") var format = Format.weights
  @Option(help: "Output of a graph: probabilities of the classes, or mask. (default: probabilities)")
  var outputKind: ExportedOutput?
  @Option(
    help: ArgumentHelp(
      "The site whose branch of domain-specific batch norm a graph has. (default: the mean of all)", valueName: "name"))
  var site: String?
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func validate() throws {
    guard !format.hasGraph, outputKind != nil || site != nil else { return }
    throw ValidationError(
      "\(outputKind != nil ? "--output-kind" : "--site") is of a graph, which --format \(format.rawValue) does not write."
    )
  }

  func run() throws {
    Messages.begin(messages)
    let output = URL(fileURLWithPath: output)
    if format == .pth || format == .onnx { try requireNewFile(output) }
    let model = try RunFolder(URL(fileURLWithPath: model)).trainedModel()
    switch format {
    case .weights: try model.write(to: RunFolder(output))
    case .pth: try TorchCheckpoint.write(model.weights, to: output)
    case .onnx, .bundle, .triton: return try writeGraph(of: model, to: output)
    }
    Messages.say(
      "Wrote \(self.output) (\(megabytes(model.weights.reduce(0) { $0 + $1.tensor.data.count })) of weights).")
  }

  private func writeGraph(of model: TrainedModel, to output: URL) throws {
    if let site { try model.description.requireSite(site, option: .site) }
    let kind = outputKind ?? .probabilities
    let graph = try model.onnx(kind, site: site)
    guard let data = graph.data else {
      throw Refusal(
        .input, self.model, "has more weights than an ONNX file can hold (2 GB)", remedy: "export its weights instead")
    }
    let signature = GraphSignature(model.description, givesMasks: kind == .mask)
    switch format {
    case .weights, .pth: preconditionFailure("weights alone have no graph")
    case .onnx: try writeAtomically(data, to: output)
    case .bundle:
      try MONAIBundle(model.description, signature).write(to: output, graph: data, weights: model.weights)
    case .triton:
      try TritonRepository(signature).write(
        to: output.deletingLastPathComponent(), named: output.lastPathComponent, graph: data)
    }
    let nodes = graph.operators.values.reduce(0, +)
    Messages.say(
      "Wrote \(self.output) (\(megabytes(data.count)), \(counted(nodes, "node")) of \(graph.operators.count) operators, "
        + "opset \(ONNXModel.opset)).")
  }

  /// - Throws: `Refusal` for a path that exists.
  private func requireNewFile(_ file: URL) throws {
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    throw Refusal(
      .input, file.path, "is there already", remedy: "give a new file for --output, or delete this one first")
  }

  private func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
}

extension ExportedOutput: ExpressibleByArgument {}
