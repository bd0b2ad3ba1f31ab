import Basics
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A server that segments: MONAI Label's protocol for viewers, a page for people, and figures for operators.
package struct SegmentationServer: Sendable {
  private let settings: ServerSettings
  private let queue: SegmentationQueue
  private let labels: LabelService
  private let page: PageService
  private let metrics = Metrics()
  private let token: Token?
  /// The private folder of all uploads, which goes with this value.
  private let folder: ServerFolder

  /// - Throws: `Refusal` for an address that others reach without a token, or a folder that cannot be used.
  package init(_ models: [ServedModel], _ settings: ServerSettings) throws {
    try settings.requireSafe()
    let folder = try ServerFolder()
    var settings = settings
    settings.hiddenFolders = [settings.data, folder.url].compactMap { $0?.path }
    (self.settings, self.folder) = (settings, folder)
    token = settings.token.map(Token.init)
    queue = SegmentationQueue(limit: settings.limits.waiting)
    let uploads = UploadReader(folder: folder.url, limits: settings.limits)
    labels = try LabelService(settings, models, queue, uploads, metrics)
    page = PageService(
      settings: settings, models: models, queue: queue, uploads: uploads, metrics: metrics,
      jobs: KeptValues(seconds: settings.limits.keepSeconds))
  }

  /// Answers requests until it is told to end, and then those at hand.
  ///
  /// Connections that are left when the last segmentation has ended get a bounded time.
  ///
  /// - Parameters:
  ///   - started: called with the port once the server listens.
  ///   - shouldEnd: asked several times a second.
  /// - Returns: what the end cut short.
  /// - Throws: `Refusal` for an address that cannot be used.
  package func run(
    started: @escaping @Sendable (Int) -> Void, shouldEnd: @escaping @Sendable () -> Bool
  ) async throws -> ServerEnd {
    let quiet = Logger(label: "server", factory: { _ in SwiftLogNoOpLogHandler() })
    let limits = settings.limits
    let application = Application(
      router: router,
      server: .http1(
        configuration: .init(
          idleTimeout: .seconds(Int64(limits.idleSeconds)),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: quiet)),
      services: [Housekeeping(labels: labels, page: page)],
      onServerRunning: { started($0.localAddress?.port ?? 0) }, logger: quiet)
    let group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
    let running = Task { try await group.run() }
    let watch = Task {
      while !shouldEnd() { try await Task.sleep(for: .milliseconds(100)) }
      let stopped = await endWork()
      await group.triggerGracefulShutdown()
      return stopped
    }
    let limit = Task {
      _ = try await watch.value
      while await queue.count > 0 { try await Task.sleep(for: .milliseconds(50)) }
      try await Task.sleep(for: .seconds(limits.endSeconds))
      running.cancel()
    }
    var cutsConnections = false
    do {
      try await running.value
    } catch is CancellationError {
      cutsConnections = true
    } catch let error as IOError {
      throw Refusal(
        .input, "\(Setting.listen) \(settings.host):\(settings.port)",
        "cannot be listened on (\(String(cString: strerror(error.errnoCode))))",
        remedy: error.errnoCode == EADDRINUSE
          ? "end the program that does, or choose another port" : "choose another address")
    } catch let error as SocketAddressError {
      throw Refusal(
        .input, "\(Setting.listen) \(settings.host)", "is no address of this machine (\(error))",
        remedy: "give one, such as 127.0.0.1")
    }
    limit.cancel()
    // LibTorch must not compute when the process ends.
    while await queue.count > 0 { try await Task.sleep(for: .milliseconds(20)) }
    return ServerEnd(jobs: try await watch.value, cutsConnections: cutsConnections)
  }

  /// Refuses what waits and what comes, and stops what no request waits for.
  private func endWork() async -> Int {
    await queue.close()
    await labels.uncertainties.cancel()
    return await page.endJobs()
  }

  private var router: Router<ServedContext> {
    let router = Router(context: ServedContext.self)
    router.add(middleware: AnswerGuard(settings: settings, metrics: metrics))
    router.add(middleware: AccessGuard(settings: settings, token: token))
    router.get("health") { _, _ in Response.json(["status": "ok", "version": .string(programVersion)]) }
    router.get("metrics") { _, _ in
      let kept = await labels.sessions.count + page.jobs.count
      return Response.bytes(
        await metrics.text(waiting: queue.count, kept: kept).utf8, type: "text/plain; version=0.0.4; charset=utf-8")
    }
    addAccessRoutes(to: router)
    labels.addRoutes(to: router)
    page.addRoutes(to: router)
    return router
  }

  /// How 3D Slicer asks for a token: it takes any user name, and the token as the password.
  private func addAccessRoutes(to router: Router<ServedContext>) {
    router.get("auth") { _, _ in
      Response.json(["enabled": .bool(token != nil), "client_id": "dualnorm", "realm": ""])
    }
    router.post("auth/token") { request, _ in
      guard let token else { return Response.json(["access_token": .null, "token_type": .null]) }
      guard let body = try? await request.body.collect(upTo: 8 << 10) else {
        throw ServiceError(.contentTooLarge, "The form is longer than 8 KiB; send a password.", closesConnection: true)
      }
      guard let given = formFields(String(buffer: body))["password"], token.isEqual(to: given) else {
        try await Task.sleep(for: .milliseconds(500))
        throw ServiceError(.unauthorized, "The password is not the server's token.")
      }
      return Response.json(["access_token": .string(token.text), "token_type": "Bearer"])
    }
    router.get("auth/token/valid") { _, _ in Response.json(["username": "dualnorm"]) }
  }
}

/// The work that the end of a server cut short.
package struct ServerEnd: Sendable {
  /// The number of the page's segmentations that were not done.
  package let jobs: Int
  /// Tells whether clients still sent, or did not take their answers, when the time for it was over.
  package let cutsConnections: Bool
}

/// Removes what nobody asks for.
private struct Housekeeping: Service {
  let labels: LabelService
  let page: PageService

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(10))
        await labels.sessions.removeOld()
        await page.jobs.removeOld()
      }
    }
  }
}
