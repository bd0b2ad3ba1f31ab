import Datasets
import MedicalImaging

extension PreparedCase {
  /// The channels that pictures show of a slice, on the network's grid: the first modality as the network sees it.
  ///
  /// A colour picture keeps the colours of its file, because z-score normalization changes them.
  ///
  /// - Throws: `Refusal` for a picture that can no longer be read.
  package func shownChannels(slice z: Int) throws -> [[Float]] {
    guard source.images.count == 1, volume.modalityCount == colourChannels.count, source.isPicture else {
      return [Array(volume.input(slice: z, context: 1).prefix(volume.height * volume.width))]
    }
    return try Image.channels(contentsOf: source.images[0]).map(volume.grid.placed)
  }
}
