import Basics
import Foundation
import MedicalImaging

/// Tells whether a file's header says it is a colour picture; false if it cannot be read.
func isColourPicture(_ url: URL) -> Bool {
  isPicture(url) && (try? Image.channelCount(contentsOf: url)) == colourChannels.count
}

/// The cases of a data set with the channels that the headers of their files give.
struct DatasetChannels {
  private(set) var cases: [Case] = []
  /// One name a channel.
  private(set) var names: [String]
  /// A file of each kind; nil if there is none with a readable header.
  private var colour, other: URL?
  /// Places of cases whose only file's header cannot be read; the data check reports them.
  private var unreadable: [Int] = []

  /// - Parameters:
  ///   - names: of `dataset.json`; nil without one.
  ///   - count: the channels that a model takes; nil if the first case tells.
  /// - Throws: `Refusal` if some images are in colour and some are not.
  init(of found: [Case], named names: [String]?, count: Int?, in folder: URL) throws {
    self.names = names ?? Self.names(Self.channelCount(ofFirst: found, looksIntoVolumes: count != 1))
    // Volumes of one channel are not looked into before they are read.
    let looksIntoVolumes = max(count ?? 1, self.names.count) > 1
    for scan in found {
      guard let scan = try? scan.counted(volumes: looksIntoVolumes) else {
        unreadable.append(cases.count)
        cases.append(scan)
        continue
      }
      try note(scan)
      cases.append(scan)
    }
    try nameColours(named: names, in: folder)
    assumeUnreadable()
  }

  /// The channels of the first case or, if its only file cannot be read, of the next such case.
  private static func channelCount(ofFirst found: [Case], looksIntoVolumes: Bool) -> Int {
    guard let count = found.first?.sources.count, looksIntoVolumes else { return found.first?.sources.count ?? 1 }
    let alike = found.lazy.filter { $0.sources.count == count }
    return alike.compactMap { try? $0.counted(volumes: true).channelCount }.first ?? count
  }

  private static func names(_ count: Int) -> [String] {
    count == 1 ? ["image"] : (0..<count).map { "modality \($0)" }
  }

  /// Notes which kind the files are of; throws `Refusal` for a colour picture among several files.
  private mutating func note(_ scan: Case) throws {
    if scan.isColourPicture {
      colour = colour ?? scan.reference
      return
    }
    for url in scan.images {
      let isOneOfSeveral = scan.sources.count > 1 && isPicture(url)
      guard let count = isOneOfSeveral ? try? Image.channelCount(contentsOf: url) : 1 else { continue }
      guard count == 1 else {
        throw Refusal(
          .input, url.path, "is in colour and one of \(scan.images.count) files of case \(scan.identifier)",
          detail: "a case is one colour picture or several grey files")
      }
      other = other ?? url
    }
  }

  private mutating func nameColours(named given: [String]?, in folder: URL) throws {
    guard let colour else { return }
    if let other {
      throw Refusal(
        .input, folder.path, "\(colour.path) is in colour and \(other.path) is not",
        detail: "a data set has one kind, so convert the one or the other")
    }
    let count = given?.count ?? 1
    guard [1, colourChannels.count].contains(count) else {
      throw Refusal(
        .input, folder.path,
        "dataset.json names \(count) channels (\(listed(names))), and \(colour.path) has 3, red, green and blue",
        remedy: "name these")
    }
    names = count == 1 ? colourChannels : names
  }

  /// Takes unreadable files for what the others are, so that the data check reads and names them.
  private mutating func assumeUnreadable() {
    guard names.count > 1 else { return }
    let holdsSeveral = cases.contains { $0.severalInOne != nil }
    for place in unreadable where cases[place].isPicture || holdsSeveral {
      cases[place] = cases[place].reading([.components(cases[place].reference, count: names.count)])
    }
  }
}

extension Dataset {
  /// Reads the channels of a source of a case.
  ///
  /// - Throws: `Refusal` for a file that cannot be read, or has another number of channels than the data set.
  func channels(of source: ImageSource, _ scan: Case) throws -> [Image] {
    if scan.channelCount != modalities.count, let fault = channelFault(of: scan) { throw fault }
    do { return try source.channels() } catch { throw channelFault(of: scan) ?? error }
  }

  /// The refusal of a file whose number of channels is not the data set's; nil for others.
  func channelFault(of scan: Case) -> Refusal? {
    guard scan.sources.count == 1, !scan.isPicture,
      let count = try? scan.counted(volumes: true).channelCount, count > 1, count != modalities.count
    else { return nil }
    let remedy =
      layout != .description
      ? "give every case the same channels"
      : modalities.count > 1
        ? "save these in this order, or name all of them in dataset.json"
        : "name all of them in dataset.json if they are modalities, or save one time point as a 3-D file"
    return Refusal(
      .input, scan.reference.path,
      "holds \(count) channels, and the data set has \(counted(modalities.count, "modality", plural: "modalities")) "
        + "(\(listed(modalities)))",
      remedy: remedy)
  }
}
