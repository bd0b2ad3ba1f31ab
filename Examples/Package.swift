// swift-tools-version: 6.1
import PackageDescription

// Uses the library from a package of its own. `make deps` in the folder above comes first.
let dualnorm: (String) -> Target.Dependency = { .product(name: $0, package: "DualNorm") }

let package = Package(
  name: "Examples",
  platforms: [.macOS(.v14)],
  dependencies: [.package(name: "DualNorm", path: "..")],
  targets: [
    .executableTarget(name: "Segment", dependencies: [dualnorm("DualNorm")]),
    .executableTarget(name: "TrainOnArrays", dependencies: [dualnorm("DualNorm")]),
  ]
)
