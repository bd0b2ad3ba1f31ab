import Datasets
import MedicalImaging

extension PreparedCase {
  /// What pictures show of a window of one slice: the first modality as the network sees it, but a colour picture in the
  /// colours of its file, because whitening changes them.
  ///
  /// - Throws: `Refusal` for a picture that can no longer be read.
  func shownChannels(slice z: Int, in window: Window) throws -> [[Float]] {
    guard source.isColourPicture, volume.modalityCount == colourChannels.count else {
      let input = volume.input(slices: z..<z + 1, in: window)
      return [Array(input.prefix(window.rows.count * window.columns.count))]
    }
    return try source.sources[0].shownChannels().map { colour in
      let values = volume.grid.resampled(colour)
      var shown: [Float] = []
      window.append(planeOf: volume.size, padding: 0, to: &shown) { $1 += values[$0] }
      return shown
    }
  }
}
