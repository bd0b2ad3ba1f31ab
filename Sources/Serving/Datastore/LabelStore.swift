import Basics
import Datasets
import Foundation
import HTTPTypes
import MedicalImaging

/// The cases of a folder, as clients see them by identifiers, and the masks that come back.
///
/// The folder has the layout of sites, or is one folder of pairs, so that `train` takes it as it is.
actor LabelStore {
  private let thread = FileThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  let folder: URL
  private let modalities: [Int]
  private var cases: [String: Case] = [:]
  private var isFlat = false
  private var lastRead = Date.distantPast
  private static let secondsBetweenReadings = 2.0
  /// The site of images that come without one.
  private static let uploads = "uploads"

  /// - Parameter modalities: the numbers of modalities that the models take.
  /// - Throws: `Refusal` for a folder that holds no cases, or a data set with `dataset.json`.
  init(_ folder: URL, modalities: [Int]) throws {
    (self.folder, self.modalities) = (folder, modalities)
    try Self.requireLayout(of: folder)
    (cases, isFlat) = try Self.read(folder, modalities)
  }

  private static func requireLayout(of folder: URL) throws {
    guard !FileManager.default.fileExists(atPath: folder.appendingPathComponent("dataset.json").path) else {
      throw Refusal(
        .input, folder.path, "has a dataset.json, which would have to name every new mask",
        remedy: "give folders of sites, or one folder of images")
    }
  }

  private static func read(_ folder: URL, _ modalities: [Int]) throws -> (cases: [String: Case], isFlat: Bool) {
    // An empty folder is a data set to come: images arrive by upload.
    let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.allSatisfy { $0.hasPrefix(".") }
    guard isEmpty != true else { return ([:], false) }
    let found = try Dataset(contentsOf: folder, requireMasks: false, modalityCount: modalities.max())
    let isFlat = found.layout == .flat
    return (Dictionary(uniqueKeysWithValues: found.cases.map { (isFlat ? $0.name : $0.identifier, $0) }), isFlat)
  }

  /// All cases by identifier, as the folder has them now.
  ///
  /// - Throws: `Refusal` if the folder became unusable.
  func all() throws -> [String: Case] {
    if -lastRead.timeIntervalSinceNow > Self.secondsBetweenReadings {
      // Its warnings came at the start.
      (cases, isFlat) = try Warnings.collecting { try Self.read(folder, modalities) }.value
      lastRead = Date()
    }
    return cases
  }

  /// - Throws: `ServiceError` for an unknown identifier.
  func scan(_ identifier: String) throws -> Case {
    let cases = try all()
    // 3D Slicer keeps to the name that it gave an upload, whatever the answer calls it.
    let name = identifier.contains("/") ? identifier : Self.fileName(identifier)
    guard let scan = cases[identifier] ?? cases[name] ?? cases["\(Self.uploads)/\(name)"] else {
      throw ServiceError.notFound("There is no such image.")
    }
    return scan
  }

  /// Adds an uploaded image.
  ///
  /// - Parameters:
  ///   - identifier: the name that the client wants; blanks and other signs become underscores.
  ///   - site: the folder for it; ignored in a folder without sites.
  /// - Throws: `ServiceError` for another name, or an image of this name with other contents.
  func add(_ image: URL, as identifier: String, site: String?) throws -> String {
    let (identifier, site) = (Self.fileName(identifier), site ?? Self.uploads)
    for name in [identifier, site] where !Self.isName(name) {
      throw ServiceError.wrong(
        "Names of images and sites have 1 to 100 letters, digits, dots, hyphens and underscores, and no dot in front.")
    }
    guard let ending = volumeEnding(of: image) else {
      throw ServiceError.wrong("The image is of an unknown format by its name; send .nii.gz, .nii, .nrrd or .mha.")
    }
    guard caseNameOfMask(identifier) == nil else {
      throw ServiceError.wrong("The name of the image ends like that of a mask; choose another one.")
    }
    let known = try all()
    let target = (isFlat ? folder : folder.appendingPathComponent(site)).appendingPathComponent(identifier + ending)
    let full = isFlat ? identifier : "\(site)/\(identifier)"
    if let scan = known[full] {
      guard (try? SHA256.digest(ofFile: scan.reference)) == (try? SHA256.digest(ofFile: image)) else {
        throw ServiceError(.conflict, "There is another image of this name; choose another one.")
      }
      return full
    }
    try copyAtomically(image, to: target)
    lastRead = .distantPast
    guard try all()[full] != nil else {
      // Pictures beside volumes are overviews, which nobody labels.
      try? FileManager.default.removeItem(at: target)
      throw ServiceError.wrong("The folder holds images of another kind, beside which this one would not be read.")
    }
    return full
  }

  /// Reads the mask in an uploaded file, or OHIF's bytes of all voxels in the image's order.
  ///
  /// - Throws: `ServiceError` for another number of voxels than the image's, before any of them is read.
  func mask(in file: Upload.File, of identifier: String) throws -> LabelMap {
    let grid = try Warnings.collecting { try scan(identifier).sources[0].geometry() }.value
    guard !file.givenName.lowercased().hasSuffix(".bin") else {
      let size = try FileManager.default.attributesOfItem(atPath: file.url.path)[.size] as? Int ?? 0
      guard size == grid.voxelCount else {
        throw ServiceError.wrong(
          "The label has \(size) bytes, and the image \(grid.voxelCount) voxels; send a byte for each.")
      }
      return LabelMap(voxels: try Data(contentsOf: file.url).map { LabelValue($0) }, geometry: grid)
    }
    guard volumeStem(file.url) != nil else {
      throw ServiceError.wrong("The label is of an unknown format by its name; send .nii.gz, .nii or .nrrd.")
    }
    return try Warnings.collecting {
      let own = try Geometry(contentsOf: file.url)
      guard own.voxelCount == grid.voxelCount else {
        throw ServiceError.wrong(
          "The label does not lie on the image's grid (\(own.mismatch(with: grid) ?? "another size")); save it on the "
            + "image's.")
      }
      return try LabelMap(contentsOf: file.url)
    }.value
  }

  /// A name with underscores for what names of files do not have; 3D Slicer calls a series `4: axial`.
  private static func fileName(_ name: String) -> String {
    String(name.map { $0.utf8.count == 1 && isLetter($0.utf8.first!) ? $0 : "_" })
  }

  private static func isName(_ name: String) -> Bool {
    (1...100).contains(name.utf8.count) && !name.hasPrefix(".") && name.utf8.allSatisfy(isLetter)
  }

  /// Letters that never lead to another folder.
  private static func isLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Saves the mask of a case beside its image, with the image's grid to the bit.
  ///
  /// A mask that is there already moves to the hidden folder `.replaced` beside it.
  ///
  /// - Parameter labels: in the data set's values.
  /// - Throws: `ServiceError` for a mask on another grid, or a case whose mask a list names.
  func save(_ labels: LabelMap, of identifier: String, withRoomFor largest: LabelValue) throws {
    let scan = try scan(identifier)
    let site = scan.reference.deletingLastPathComponent()
    guard !FileManager.default.fileExists(atPath: site.appendingPathComponent("all_list.txt").path) else {
      throw ServiceError.wrong("The site of this image has an all_list.txt, which would have to name the mask.")
    }
    let grid = try Warnings.collecting { try scan.sources[0].geometry() }.value
    let fitting: LabelMap
    if labels.geometry.mismatch(with: grid) == nil {
      fitting = labels
    } else if let turned = labels.reordered(onto: grid) {
      fitting = turned
    } else {
      throw ServiceError.wrong(
        "The label does not lie on the image's grid (\(labels.geometry.mismatch(with: grid)!)); save it on the image's."
      )
    }
    let target = site.appendingPathComponent(scan.name + "_segmentation" + scan.maskEnding)
    // Whole before the old one moves, so that a full disk leaves that in place.
    let new = site.appendingPathComponent(".new-" + target.lastPathComponent)
    try LabelMap(voxels: fitting.voxels, geometry: grid).write(to: new, withRoomFor: largest)
    if let old = scan.mask { try Self.setAside(old, staying: old.standardizedFileURL == target.standardizedFileURL) }
    guard rename(new.path, target.path) == 0 else { throw unwritable(target, errno) }
    lastRead = .distantPast
  }

  /// Keeps a mask that is about to be replaced.
  ///
  /// - Parameter stays: whether the new mask takes its name, so that there is one at any time. Two masks of different
  ///   names would be an error of the data set.
  private static func setAside(_ mask: URL, staying stays: Bool) throws {
    let folder = mask.deletingLastPathComponent().appendingPathComponent(".replaced")
    try makeFolder(folder)
    let time = Date().formatted(Date.ISO8601FormatStyle().dateSeparator(.omitted).timeSeparator(.omitted))
    var (copy, number) = (folder.appendingPathComponent("\(time)-\(mask.lastPathComponent)"), 1)
    while FileManager.default.fileExists(atPath: copy.path) {
      number += 1
      copy = folder.appendingPathComponent("\(time)-\(number)-\(mask.lastPathComponent)")
    }
    if stays { try copyAtomically(mask, to: copy) } else { try FileManager.default.moveItem(at: mask, to: copy) }
  }

  /// A copy of an image that one file can hold: its own file, or else a NIfTI file of its first channel.
  func download(_ identifier: String, into folder: () throws -> UploadFolder) throws
    -> (file: URL, name: String, owner: UploadFolder?)
  {
    let scan = try scan(identifier)
    let name = identifier.replacingOccurrences(of: "/", with: "_")
    if scan.sources.count == 1, !scan.sources[0].isSeries, let ending = volumeEnding(of: scan.reference) {
      return (scan.reference, name + ending, nil)
    }
    let own = try folder()
    let file = own.url.appendingPathComponent("image.nii.gz")
    _ = try Warnings.collecting { try scan.sources[0].channels()[0].writeCompactly(to: file) }
    return (file, name + ".nii.gz", own)
  }
}

extension Case {
  /// Tells whether a mask of this case is there.
  var isLabelled: Bool { mask != nil }
}

extension SHA256 {
  /// The digest of a file, read piece by piece.
  static func digest(ofFile url: URL) throws -> Data {
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    var hash = SHA256()
    while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { hash.add(piece) }
    return hash.finished
  }
}
