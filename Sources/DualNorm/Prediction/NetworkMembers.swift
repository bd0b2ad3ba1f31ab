import Basics
import Foundation
import MedicalImaging
import Torch

/// The networks of a model's members.
///
/// All stay in memory if they fit a limit. Otherwise one at a time does, and the results are the same to the bit.
final class NetworkMembers {
  /// A member's description and files.
  struct Source {
    let run: RunFolder
    let weights: URL
    let description: ModelDescription
  }

  let sources: [Source]
  private let device: Device
  private let precision: Precision?
  private var loaded: [Int: DualNormNetwork] = [:]
  /// Tells whether all stay in memory.
  private(set) var keepsAll = true
  /// The reason why a file could not be read again; what was computed since is wrong.
  private(set) var failure: (any Error)?

  /// Reads every network, so that a damaged file is found before the first case.
  ///
  /// - Parameter limit: bytes for the weights of all.
  /// - Throws: `Refusal` naming the file that is missing or does not fit.
  init(_ sources: [Source], precision: Precision?, device: Device, limit: Int) throws {
    (self.sources, self.precision, self.device) = (sources, precision, device)
    var bytes = 0
    for index in sources.indices {
      makeRoom()
      let network = try read(index)
      bytes += network.parameters.entries.reduce(0) { $0 + MemoryLayout<Float>.size * $1.tensor.count }
      keepsAll = keepsAll && bytes <= limit
      makeRoom()
      loaded[index] = network
    }
  }

  /// The number of networks in memory.
  var loadedCount: Int { loaded.count }

  /// Returns a member's network. Where its file cannot be read again, returns an untrained one and sets `failure`.
  func network(_ index: Int) -> DualNormNetwork {
    if let network = loaded[index] { return network }
    makeRoom()
    do {
      loaded[index] = try read(index)
    } catch {
      failure = failure ?? error
      // The first reading has made this network already.
      loaded[index] = try! DualNormNetwork(sources[index].description.network, seed: 0, device: device)
    }
    return loaded[index]!
  }

  /// Brings all into memory, because batch statistics belong to networks that stay.
  func keepAll() {
    keepsAll = true
    for index in sources.indices { _ = network(index) }
  }

  /// Frees the network in memory before the next is read, where they do not fit together.
  private func makeRoom() { if !keepsAll { loaded = [:] } }

  private func read(_ index: Int) throws -> DualNormNetwork {
    let source = sources[index]
    let state = try Safetensors.read(source.weights).tensors
    try source.description.network.requireWeights(
      state, in: source.weights.path, planOf: source.run.description.path)
    let network = try DualNormNetwork(source.description.network, seed: 0, device: device)
    network.precision = precision ?? source.description.precision
    try network.parameters.load(state, file: source.weights.path)
    return network
  }
}
