// swift-tools-version: 6.1
import PackageDescription

// `make deps` links LibTorch, ITK and DCMTK here, whatever their version and place.
let deps = Context.packageDirectory + "/.deps"
let torch = deps + "/libtorch/torch"
let itk = deps + "/itk"
let dcmtk = deps + "/dcmtk"
let jpeg = deps + "/jpeg"  // this and libpng on macOS; on Linux they are the system's
let png = deps + "/png"

func libraries(in folder: String, _ names: [String]) -> [LinkerSetting] {
  [.unsafeFlags(["-L\(folder)", "-Xlinker", "-rpath", "-Xlinker", folder])] + names.map { .linkedLibrary($0) }
}

// `make docs` alone needs the plugin that makes pages of the comments; nothing else fetches it.
let docs: [Package.Dependency] =
  Context.environment["DUALNORM_DOCS"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0")]

// All that is Swift below the program.
let library: [Target.Dependency] = [
  "Pages", "Experiments", "DualNorm", "Datasets", "Pictures", "Scores", "TensorBoard", "ONNX", "Torch",
  "MedicalImaging", "Basics",
]

// A file imports whatever it uses, and passes on only what its own declarations need.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("InternalImportsByDefault"),
]

// Tests run the debug build, and what computes voxel by voxel is ten times as slow there without this.
let optimized: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "DualNorm",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "dualnorm", targets: ["Program"]),
    .library(name: "DualNorm", targets: ["DualNorm", "Scores", "Torch", "MedicalImaging", "Basics"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ] + docs,
  targets: [
    .target(name: "CGuard"),  // a C++ header, shared by the three shims below
    .target(
      name: "CTorch",
      dependencies: ["CGuard"],
      // Text that the C++ includes.
      exclude: ["Common", "Values", "Norm", "Pool", "ClassSums", "Adam"].map { "GPU/\($0).cu" },
      cxxSettings: [
        .unsafeFlags(["-isystem", torch + "/include", "-O2", "-Wno-c23-extensions"]),
        .define("DUALNORM_EMULATED_GPU", .when(configuration: .debug)),
      ],
      linkerSettings: libraries(in: torch + "/lib", ["torch_cpu", "c10"])),
    .target(
      name: "CITK",
      dependencies: ["CGuard"],
      cxxSettings: [
        .unsafeFlags(["-isystem", itk + "/include", "-isystem", jpeg + "/include", "-isystem", png + "/include", "-O2"])
      ],
      linkerSettings: libraries(
        in: itk + "/lib",
        [
          "ITKCommon", "ITKTransform", "ITKIOImageBase", "ITKIONIFTI", "ITKIOPNG",
          "ITKIOTIFF", "ITKSmoothing", "itksys", "itkvnl", "itkvnl_algo",
        ]) + [.unsafeFlags(["-L\(jpeg)/lib", "-L\(png)/lib"])] + ["z", "jpeg", "png"].map { .linkedLibrary($0) }),
    .target(
      name: "CDICOM",
      dependencies: ["CGuard"],
      cxxSettings: [.unsafeFlags(["-isystem", dcmtk + "/include", "-O2"])],
      linkerSettings: libraries(
        in: dcmtk + "/lib",
        ["dcmseg", "dcmfg", "dcmiod", "dcmnet", "dcmjpeg", "dcmjpls", "dcmimgle", "dcmdata", "oflog", "ofstd"])),
    .target(name: "CHTTP", linkerSettings: [.linkedLibrary("curl")]),
    // Imports go down only, in this order.
    .target(name: "Basics", dependencies: ["Yams"], swiftSettings: optimized),
    .target(name: "Torch", dependencies: ["CTorch", "Basics"], swiftSettings: optimized),
    .target(name: "MedicalImaging", dependencies: ["CITK", "CDICOM", "CHTTP", "Basics"], swiftSettings: optimized),
    .target(
      name: "TensorBoard", dependencies: ["Basics", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: strict),
    .target(
      name: "ONNX", dependencies: ["Torch", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: strict),
    .target(name: "Scores", dependencies: ["MedicalImaging", "Basics"], swiftSettings: optimized),
    .target(name: "Pictures", dependencies: ["MedicalImaging"], swiftSettings: optimized),
    .target(
      name: "Datasets", dependencies: ["Scores", "MedicalImaging", "Basics"], resources: [.embedInCode("Recipes")],
      swiftSettings: optimized),
    .target(
      name: "DualNorm",
      dependencies: ["Datasets", "Scores", "Pictures", "TensorBoard", "ONNX", "Torch", "MedicalImaging", "Basics"],
      swiftSettings: optimized),
    .target(
      name: "Experiments", dependencies: ["DualNorm", "Datasets", "Scores", "Torch", "Basics"], swiftSettings: strict),
    .target(
      name: "Pages",
      dependencies: ["Experiments", "DualNorm", "Datasets", "Pictures", "Scores", "MedicalImaging", "Torch", "Basics"],
      resources: [.embedInCode("Assets")], swiftSettings: strict),
    .target(
      name: "Serving",
      dependencies: [
        "DualNorm", "Datasets", "Pictures", "Scores", "MedicalImaging", "Basics",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.embedInCode("Assets")], swiftSettings: optimized),
    .target(
      name: "Watching", dependencies: ["DualNorm", "Datasets", "Scores", "MedicalImaging", "Basics"],
      swiftSettings: strict),
    .target(
      name: "DualNormCLI",
      dependencies: [
        "Serving", "Watching", "Pages", "Experiments", "DualNorm", "Datasets", "Pictures", "Scores", "ONNX", "Torch",
        "MedicalImaging",
        "Basics",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .executableTarget(name: "Program", dependencies: ["DualNormCLI"], swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .target(name: "CTestStart", path: "Tests/TestStart"),  // calls the command's tests before all tests begin
    .target(name: "CCommandServer", path: "Tests/CCommandServer"),
    .executableTarget(
      name: "command-server", dependencies: ["DualNormCLI", "Serving", "DualNorm", "Basics", "CCommandServer"],
      path: "Tests/CommandServer"),
    .executableTarget(
      name: "fuzz",
      dependencies: ["Experiments", "DualNorm", "Datasets", "Torch", "MedicalImaging", "Basics", "TestSupport"],
      path: "Tests/Fuzz"),
    .testTarget(name: "BasicsTests", dependencies: ["Basics"]),
    .testTarget(name: "TorchTests", dependencies: ["Torch", "Basics", "TestSupport"]),
    .testTarget(name: "MedicalImagingTests", dependencies: ["MedicalImaging", "Basics", "TestSupport"]),
    .testTarget(name: "WatchingTests", dependencies: ["Watching", "MedicalImaging", "Basics", "TestSupport"]),
    .testTarget(name: "ServingTests", dependencies: ["Serving", "Datasets", "Basics", "TestSupport"]),
    .testTarget(name: "TensorBoardTests", dependencies: ["TensorBoard", "TestSupport"]),
    .testTarget(name: "DualNormTests", dependencies: library + ["TestSupport"]),
    .testTarget(
      name: "CommandTests",
      dependencies: library + ["Serving", "Watching", "DualNormCLI", "TestSupport", "CTestStart", "CCommandServer"]),
  ],
  cxxLanguageStandard: .cxx20
)
