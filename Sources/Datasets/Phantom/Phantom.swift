import Basics
package import Foundation
package import MedicalImaging

/// A multi-site data set with known truth, drawn from a seed.
///
/// Organs of varied shape are imaged by acquisitions that differ between sites as hospitals do.
package struct Phantom: Sendable {
  let configuration: PhantomConfiguration

  /// - Throws: `Refusal` if the configuration makes no phantom.
  package init(_ configuration: PhantomConfiguration) throws {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Draws patient `number` of a site: the image, and the true label of every voxel.
  package func makeCase(_ number: Int, of site: PhantomSite) -> (image: Image, labels: LabelMap) {
    var random = SeededGenerator.stream(seed: configuration.seed, site.index, number)
    let anatomy = PhantomAnatomy(random: &random)
    let scanner = PhantomScanner(
      site: site, size: configuration.size, spacingMM: configuration.spacingMM, random: &random)
    let halfFieldMM = SIMD3<Double>(configuration.size) * configuration.spacingMM / 2
    let size = configuration.size
    var signal: [Float] = []
    var labels: [LabelValue] = []
    signal.reserveCapacity(scanner.geometry.voxelCount)
    labels.reserveCapacity(scanner.geometry.voxelCount)
    for z in 0..<size.z {
      for y in 0..<size.y {
        for x in 0..<size.x {
          let point = scanner.positionMM(x: x, y: y, z: z) / halfFieldMM
          let (tissue, label) = anatomy.sample(at: point)
          signal.append(Float(scanner.signal(of: tissue, at: point)))
          labels.append(label <= configuration.foregroundClasses ? label : 0)
        }
      }
    }
    let image = scanner.image(of: signal, random: &random)
    return (image, LabelMap(voxels: labels, geometry: scanner.geometry))
  }

  /// Writes `Site-A/Case00.nii.gz`, `Case00_segmentation.nii.gz` and so on, and each site's `all_list.txt`.
  ///
  /// - Parameter progress: called after each case with its identifier, its ordinal and the number of all cases.
  /// - Throws: `Refusal` if the folder is not empty, or if it cannot be written.
  package func write(
    to folder: URL, progress: (_ identifier: String, _ ordinal: Int, _ count: Int) -> Void = { _, _, _ in }
  ) throws {
    try Phantom.requireEmpty(folder)
    let count = configuration.sites.count * configuration.cases.count
    var ordinal = 0
    for site in configuration.sites {
      let siteFolder = folder.appendingPathComponent(site.name)
      var list = ""
      for number in configuration.cases {
        let name = String(format: "Case%02d", number)
        let (image, labels) = makeCase(number, of: site)
        try image.write(to: siteFolder.appendingPathComponent("\(name).nii.gz"))
        try labels.write(to: siteFolder.appendingPathComponent("\(name)_segmentation.nii.gz"))
        list += "\(name).nii.gz,\(name)_segmentation.nii.gz\n"
        ordinal += 1
        progress("\(site.name)/\(name)", ordinal, count)
      }
      try writeAtomically(Data(list.utf8), to: siteFolder.appendingPathComponent("all_list.txt"))
    }
  }

  private static func requireEmpty(_ folder: URL) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw Refusal(
        .input, folder.path, "this is a file, and a phantom needs a folder", remedy: "choose another output")
    }
    let contents = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    guard contents?.isEmpty == true else {
      throw Refusal(
        .input, folder.path, "this folder is not empty, and a phantom is not mixed with other files",
        remedy: "choose another output")
    }
  }
}
