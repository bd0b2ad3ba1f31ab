import Foundation
import MedicalImaging

/// A data set and a model that trains in seconds, made once for all tests.
enum Tiny {
  /// Two sites of three cases, 32 × 32 × 4 voxels, labels 1 and 2.
  static var data: URL { get throws { try madeData.get() } }

  /// A run on `data` trained long enough to find both labels.
  static var run: URL { get throws { try madeRun.get() } }

  /// A run on the first site alone, whose volumes have one orientation.
  static var runOfOneSite: URL { get throws { try madeRunOfOneSite.get() } }

  /// The options of `run`.
  static let learning =
    """
    --width 4 --iterations 60,60 --batch-size 4 --learning-rate 0.02 --averaging 0.9 --augmentation none \
    --validate-every 20 --precision float32 --threads 1 --quiet
    """.split(separator: " ").map(String.init)

  /// The options of a run that ends at once.
  static let quick =
    "--width 4 --iterations 2,2 --batch-size 2 --validate-every 2 --precision float32 --threads 1 --quiet".split(
      separator: " "
    )
    .map(String.init)

  /// Copies `data`, for tests that damage it.
  static func copyOfData(to url: URL) throws -> URL {
    try FileManager.default.copyItem(at: data, to: url)
    return url
  }

  private static let madeData = Result {
    let url = shared.appendingPathComponent("data")
    let phantom = ["phantom", "--output", url.path, "--size", "32x32x4", "--cases", "3", "--sites", "2", "--quiet"]
    return try made(url, by: phantom)
  }

  private static let madeRun = Result {
    let url = shared.appendingPathComponent("run")
    return try made(url, by: ["train", "--data", data.path, "--output", url.path] + learning)
  }

  private static let madeRunOfOneSite = Result {
    let (site, url) = (shared.appendingPathComponent("site"), shared.appendingPathComponent("run-of-one-site"))
    try FileManager.default.createDirectory(at: site, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: data.appendingPathComponent("Site-A"), to: site.appendingPathComponent("Site-A"))
    let options =
      "--width 4 --iterations 40,0 --dual-blocks none --batch-size 4 --validate-every 40 --threads 1 --quiet"
    return try made(
      url, by: ["train", "--data", site.path, "--output", url.path] + options.split(separator: " ").map(String.init))
  }

  private static func made(_ url: URL, by arguments: [String]) throws -> URL {
    let result = try dualnorm(arguments)
    if result.status != 0 { throw CommandFailed(description: result.errors) }
    return url
  }

  private struct CommandFailed: Error, CustomStringConvertible { let description: String }

  private static let shared: URL = {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dualnorm-tiny-\(getpid())")
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: Tiny.shared) }
    return url
  }()
}

/// The folder `Tests/Fixtures`.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Fixtures")

/// Changes the voxels of an image in place.
func change(image url: URL, _ body: (inout [Float]) -> Void) throws {
  var image = try Image(contentsOf: url)
  body(&image.voxels)
  try image.write(to: url)
}

/// Changes the voxels of a mask in place.
func change(mask url: URL, _ body: (inout [LabelValue]) -> Void) throws {
  var mask = try LabelMap(contentsOf: url)
  body(&mask.voxels)
  try mask.write(to: url)
}

/// Moves a mask's origin, but not its voxels.
func move(mask url: URL, byMM offset: SIMD3<Double>) throws {
  let mask = try LabelMap(contentsOf: url)
  var geometry = mask.geometry
  geometry.originMM += offset
  try LabelMap(voxels: mask.voxels, geometry: geometry).write(to: url)
}
