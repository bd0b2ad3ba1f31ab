import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
  var hasBody: Bool { headers[.contentLength].map { $0 != "0" } ?? (headers[.transferEncoding] != nil) }
}

extension ResponseBody {
  /// The same body, whose connection is closed if its client takes nothing for some seconds.
  ///
  /// Otherwise such a client would hold the connection and its file for ever, also when the server ends.
  func watched(_ channel: any Channel, seconds: Int) -> ResponseBody {
    // A short answer is on its way at once.
    guard contentLength ?? .max > 1 << 16 else { return self }
    return ResponseBody(contentLength: contentLength) { writer in
      try await write(WatchedWriter(base: writer, channel: channel, limit: .seconds(Int64(seconds))))
    }
  }
}

private struct WatchedWriter: ResponseBodyWriter {
  var base: any ResponseBodyWriter
  let channel: any Channel
  let limit: TimeAmount

  mutating func write(_ buffer: ByteBuffer) async throws {
    let alarm = alarm
    defer { alarm.cancel() }
    try await base.write(buffer)
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
    let alarm = alarm
    defer { alarm.cancel() }
    try await base.finish(trailingHeaders)
  }

  private var alarm: Scheduled<Void> {
    let channel = channel
    return channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }
}
