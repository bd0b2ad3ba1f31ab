package import Datasets

/// A case with its volume on the network's grid.
package struct PreparedCase: Sendable {
  package let source: Case
  package let volume: PreparedVolume
}
