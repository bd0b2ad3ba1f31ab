package import Foundation
package import MedicalImaging

/// A file or folder that one or several channels of a case are read from.
package enum ImageSource: Hashable, Sendable {
  /// One channel: a volume, a grey picture, or a folder's only DICOM series.
  case file(URL)
  /// Several channels: the colours of a picture, or the volumes of a 4-D file.
  case components(URL, count: Int)
  /// One channel: the series of a DICOM folder that a number or UID chooses; nil for the only one.
  case series(URL, choice: String?)

  /// One channel: the series of a folder of DICOM files, or a file.
  package static func found(at url: URL) -> ImageSource { holdsDICOM(url) ? .series(url, choice: nil) : .file(url) }

  package var url: URL {
    switch self {
    case .file(let url), .components(let url, _), .series(let url, _): url
    }
  }

  package var channelCount: Int {
    if case .components(_, let count) = self { count } else { 1 }
  }

  package var isSeries: Bool {
    if case .series = self { true } else { false }
  }

  fileprivate var choice: String? {
    if case .series(_, let choice) = self { choice } else { nil }
  }

  /// The channels' names in messages: the path, for one of several with its colour or its number.
  package var channelNames: [String] {
    guard case .components(let url, let count) = self else { return [url.path] }
    return (0..<count).map { "\(url.path) (\(isPicture(url) ? colourChannels[$0] : "channel \($0)"))" }
  }

  /// Reads all channels, which lie on one grid.
  ///
  /// - Throws: `Refusal` for a file that cannot be read, or a volume's file with another number of channels.
  package func channels() throws -> [Image] {
    try Image.channels(contentsOf: url, series: choice, count: channelCount)
  }

  /// Reads the grid alone.
  ///
  /// - Throws: `Refusal` for a header that cannot be read.
  package func geometry() throws -> Geometry {
    guard case .series(let folder, let choice) = self else { return try Geometry(contentsOf: url) }
    return try DICOMSeries(contentsOf: folder, series: choice).geometry
  }

  /// Reads what pictures show: the colours of a picture, or the first channel of a volume.
  package func shownChannels() throws -> [Image] { try Image.shownChannels(contentsOf: url, series: choice) }
}
