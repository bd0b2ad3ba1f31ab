import ArgumentParser
import Basics
import DualNorm
import Foundation
import ONNX

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model for use elsewhere: as a run folder of the model alone, or as an ONNX graph.",
    discussion: """
      Examples:
        dualnorm export --model RUN --output MODEL
        dualnorm export --model RUN --output model.onnx --format onnx

      weights writes MODEL/model.safetensors and MODEL/model.json, which predict and evaluate take as a run. Outputs for \
      deep supervision are left out, so that the reference network in PyTorch loads the weights with \
      load_state_dict(strict=True).

      onnx writes one file with both passes and all weights in float32, for ONNX Runtime, OpenVINO and others. Its input \
      is what the network sees in a window; batch and size are free. The file says in words and as JSON how to prepare \
      volumes and how to make a mask of its outputs: docs/export.md.

      An unfinished training exports its best weights so far.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case weights, onnx }

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The run folder of the model.", valueName: "run"), completion: .directory)
  var model: String
  @Option(
    name: .shortAndLong, help: ArgumentHelp("A new folder; a new file for onnx.", valueName: "path"),
    completion: .file())
  var output: String
  @Option(help: "What to write: weights (safetensors, with model.json) or onnx.") var format = Format.weights
  @Option(help: "What the graph gives: probabilities of the classes, or mask. (default: probabilities)")
  var outputKind: ExportedOutput?
  @Option(
    help: ArgumentHelp(
      "The site whose branch of domain-specific batch norm the graph has. (default: the mean of all)", valueName: "name"
    ))
  var site: String?
  @OptionGroup(title: "Messages") var messages: MessageOptions

  func validate() throws {
    guard format == .weights, outputKind != nil || site != nil else { return }
    throw ValidationError("\(outputKind != nil ? "--output-kind" : "--site") is for --format onnx alone.")
  }

  func run() throws {
    Messages.begin(messages)
    let run = RunFolder(URL(fileURLWithPath: model))
    let output = URL(fileURLWithPath: output)
    switch format {
    case .weights:
      let bytes = try run.trainedModel().write(to: RunFolder(output))
      Messages.say("Wrote \(self.output) (\(megabytes(bytes)) of weights).")
    case .onnx:
      try requireNewFile(output)
      let graph = try onnx(of: run)
      guard let data = graph.data else {
        throw Refusal(
          .input, model, "has more weights than an ONNX file can hold (2 GB)", remedy: "export its weights instead")
      }
      try writeAtomically(data, to: output)
      let nodes = graph.operators.values.reduce(0, +)
      Messages.say(
        "Wrote \(self.output) (\(megabytes(data.count)), \(counted(nodes, "node")) of \(graph.operators.count) operators, opset "
          + "\(ONNXModel.opset)).")
    }
  }

  private func onnx(of run: RunFolder) throws -> ONNXModel {
    let model = try run.trainedModel()
    if let site { try model.description.requireSite(site, option: .site) }
    return try model.onnx(outputKind ?? .probabilities, site: site)
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
