import Basics
import Foundation
import Scores
import TestSupport
import Testing
import Torch

@testable import DualNorm

@Suite struct MONAIBundleTests {
  private let folder: DataFolder
  private let graph = Data("graph".utf8)

  init() throws { folder = try DataFolder() }

  private func write(_ model: ModelDescription, _ weights: StateDictionary = [], masks: Bool = false) throws {
    try MONAIBundle(model, GraphSignature(model, givesMasks: masks)).write(
      to: folder.url, graph: graph, weights: weights)
  }

  private func metadata() throws -> [String: Any] {
    let data = try Data(contentsOf: folder.url.appendingPathComponent("configs/metadata.json"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// A tensor's format, without the meanings of its channels, as text.
  private func format(of name: String, among side: String) throws -> String {
    let formats = try #require(metadata()["network_data_format"] as? [String: [String: [String: Any]]])
    var format = try #require(formats[side]?[name])
    format["channel_def"] = nil
    return String(decoding: try JSONSerialization.data(withJSONObject: format, options: [.sortedKeys]), as: UTF8.self)
  }

  @Test func aBundleHoldsGraphWeightsAndMetadata() throws {
    let model = try ExportedModels.slices()
    let weights = try DualNormNetwork(model.network, seed: 0).parameters.stateDictionary
    try write(model, weights)
    #expect(
      folder.contents == [
        "configs", "configs/metadata.json", "models", "models/model.onnx", "models/model.pt",
      ])
    let models = folder.url.appendingPathComponent("models")
    #expect(try Data(contentsOf: models.appendingPathComponent("model.onnx")) == graph)
    let read = try TorchCheckpoint.read(models.appendingPathComponent("model.pt")).tensors
    #expect(read.map(\.name) == weights.map(\.name) && read.map(\.tensor) == weights.map(\.tensor))
    #expect(
      sentence { try write(model) }
        == "\(folder.path): is not empty; give a new folder for \(Setting.output), or delete this one first.")
  }

  /// The keys that the schema requires, and their types.
  @Test func theMetadataHasWhatTheSchemaRequires() throws {
    let model = try ExportedModels.slices()
    try write(model)
    let metadata = try metadata()
    let texts = [
      "schema", "version", "monai_version", "pytorch_version", "numpy_version", "task", "description", "authors",
      "copyright", "intended_use", "data_type",
    ]
    for key in texts { #expect((metadata[key] as? String)?.isEmpty == false, "\(key)") }
    #expect(metadata["required_packages_version"] is [String: String])
    #expect(Array(try #require(metadata["changelog"] as? [String: String]).keys) == [metadata["version"] as? String])
    // A bundle tells how to make its network.
    let described = try JSONSerialization.data(withJSONObject: try #require(metadata["dualnorm_model"]))
    #expect(try JSONDecoder().decode(ModelDescription.self, from: described) == model)
  }

  @Test func theVersionsAreThoseOfTheBenchmarks() throws {
    try write(try ExportedModels.slices())
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Tools/environments/bench.txt").standardizedFileURL
    let pinned = try String(contentsOf: file, encoding: .utf8)
    for (name, key) in [("monai", "monai_version"), ("torch", "pytorch_version"), ("numpy", "numpy_version")] {
      let version = try #require(metadata()[key] as? String)
      #expect(pinned.contains("\n\(name)==\(version) "), "\(name) \(version)")
    }
  }

  @Test func tensorsOfSlices() throws {
    try write(try ExportedModels.slices())
    #expect(
      try format(of: "image", among: "inputs")
        == #"{"dtype":"float32","format":"magnitude","is_patch_data":false,"modality":"T2, ADC","num_channels":6,"#
        + #""spatial_shape":["16*n","16*p"],"type":"image","value_range":[]}"#)
    for name in ["probabilities", "first_probabilities"] {
      #expect(
        try format(of: name, among: "outputs")
          == #"{"dtype":"float32","format":"labels","is_patch_data":false,"num_channels":3,"#
          + #""spatial_shape":["16*n","16*p"],"type":"image","value_range":[0,1]}"#)
    }
    let formats = try #require(metadata()["network_data_format"] as? [String: [String: [String: Any]]])
    #expect(
      formats["inputs"]?["image"]?["channel_def"] as? [String: String] == [
        "0": "T2, slice -1", "1": "T2", "2": "T2, slice +1", "3": "ADC, slice -1", "4": "ADC", "5": "ADC, slice +1",
      ])
    #expect(
      formats["outputs"]?["probabilities"]?["channel_def"] as? [String: String] == [
        "0": "background", "1": "prostate \"ü\"", "2": "bladder\n",
      ])
  }

  @Test func masksOfVolumes() throws {
    try write(try ExportedModels.volumes(), masks: true)
    #expect(
      try format(of: "image", among: "inputs")
        == #"{"dtype":"float32","format":"magnitude","is_patch_data":true,"modality":"CT","num_channels":1,"#
        + #""spatial_shape":[8,16,24],"type":"image","value_range":[-4,4]}"#)
    #expect(
      try format(of: "mask", among: "outputs")
        == #"{"dtype":"uint8","format":"segmentation","is_patch_data":true,"num_channels":1,"#
        + #""spatial_shape":[8,16,24],"type":"image","value_range":[0,1]}"#)
    let formats = try #require(metadata()["network_data_format"] as? [String: [String: Any]])
    #expect(formats["outputs"]?.count == 1)
  }

  /// MONAI would run the first name.
  @Test(arguments: ["$import os", "%file", "@image"]) func namesThatMONAIWouldFollowAreRefused(name: String) throws {
    var model = try ExportedModels.volumes()
    model.labels = LabelScheme(groups: [[1]], names: [name])
    #expect(
      sentence { try write(model) }
        == "The name \"\(name)\" begins with a sign that MONAI does not take as text; rename it in model.json.")
    #expect(folder.contents.isEmpty)
  }
}
