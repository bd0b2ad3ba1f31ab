import Basics
import Dispatch
import DualNorm
import Foundation
import Serving

/// Serves a model with limits that a test can wait for, which users cannot set. Writes the line that the command writes.
func serveWithShortLimits(_ run: String) -> Never {
  Task {
    do {
      let service = try await PredictionService(contentsOf: [RunFolder(URL(fileURLWithPath: run))], threads: 1)
      var settings = ServerSettings()
      settings.port = 0
      (settings.limits.bodySeconds, settings.limits.idleSeconds, settings.limits.keepSeconds) = (3, 5, 6)
      (settings.limits.uploads, settings.limits.files, settings.limits.fieldBytes) = (1, 3, 1000)
      let server = try SegmentationServer([ServedModel(name: "model", service: service)], settings)
      _ = try await server.run(
        started: { port in
          FileHandle.standardError.write(Data("Serving model on http://127.0.0.1:\(port) for tests\n".utf8))
        }, shouldEnd: { false })
      exit(0)
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(1)
    }
  }
  dispatchMain()
}
