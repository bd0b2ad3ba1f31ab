import Basics
import Foundation
import TestSupport
import Testing

@testable import DualNorm

@Suite struct TritonRepositoryTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder() }

  private func write(_ name: String, _ model: ModelDescription, masks: Bool = false) throws {
    try TritonRepository(GraphSignature(model, givesMasks: masks)).write(
      to: folder.url, named: name, graph: Data("graph".utf8))
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOf: folder.url.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func aRepositoryHoldsModelsSideBySide() throws {
    try write("slices", try ExportedModels.slices())
    #expect(
      folder.contents == [
        "slices", "slices/1", "slices/1/model.onnx", "slices/config.pbtxt", "slices/labels.txt",
      ])
    #expect(try text("slices/labels.txt") == "background\nprostate \"ü\"\nbladder?\n")
    #expect(try text("slices/1/model.onnx") == "graph")
    #expect(
      try text("slices/config.pbtxt") == """
        name: "slices"
        platform: "onnxruntime_onnx"
        max_batch_size: 16
        dynamic_batching { }
        input {
          name: "image"
          data_type: TYPE_FP32
          dims: [6, -1, -1]
        }
        output {
          name: "probabilities"
          data_type: TYPE_FP32
          dims: [3, -1, -1]
          label_filename: "labels.txt"
        }
        output {
          name: "first_probabilities"
          data_type: TYPE_FP32
          dims: [3, -1, -1]
          label_filename: "labels.txt"
        }

        """)
    try write("volumes", try ExportedModels.volumes())
    #expect(
      sentence { try write("slices", try ExportedModels.slices()) }
        == "\(folder.path)/slices: is not empty; give a new folder for \(Setting.output), or delete this one first.")
  }

  @Test(arguments: ["", "../model", ".model"]) func aNameThatLeadsElsewhereIsRefused(name: String) throws {
    let model = try ExportedModels.volumes()
    #expect(
      sentence { try write(name, model) }
        == "\"\(name)\" cannot name a model; choose a name that a folder can have.")
    #expect(folder.contents.isEmpty)
  }

  @Test(.enabled(if: TestEnvironment.isThere, "needs Triton's definitions; make test-env gets them"))
  func tritonsDefinitionReadsThem() throws {
    try write("a \"ü\"", try ExportedModels.slices(), masks: true)
    try write("b", try ExportedModels.volumes())
    try write("c", try ExportedModels.fixedSize())
    let program = """
      import glob, importlib.util, os, sys
      from google.protobuf import text_format
      place = os.path.dirname(importlib.util.find_spec("tritonclient").origin) + "/grpc/model_config_pb2.py"
      specification = importlib.util.spec_from_file_location("model_config_pb2", place)
      definition = importlib.util.module_from_spec(specification)
      specification.loader.exec_module(definition)
      kind = definition.DataType.Name
      for path in sorted(glob.glob(sys.argv[1] + "/*/config.pbtxt")):
        model = text_format.Parse(open(path).read(), definition.ModelConfig())
        print(model.name, model.platform, model.max_batch_size, model.HasField("dynamic_batching"))
        for tensor in [*model.input, *model.output]: print(tensor.name, kind(tensor.data_type), *tensor.dims)
      """
    #expect(
      try TestEnvironment.output(of: ["-c", program, folder.path]) == """
        a "ü" onnxruntime_onnx 16 True
        image TYPE_FP32 6 -1 -1
        mask TYPE_UINT8 -1 -1
        first_mask TYPE_UINT8 -1 -1
        b onnxruntime_onnx 2 True
        image TYPE_FP32 1 -1 -1 -1
        probabilities TYPE_FP32 2 -1 -1 -1
        c onnxruntime_onnx 16 True
        image TYPE_FP32 3 32 48
        probabilities TYPE_FP32 2 32 48

        """)
  }
}
