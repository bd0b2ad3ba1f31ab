import Foundation
import MedicalImaging
import Testing

/// Requests that are damaged, too large, slow, or meant to harm. Each gets an answer, and the server goes on.
@Suite struct ServeDamageTests {
  private let server: RunningServer
  private let scan: Data

  init() throws {
    scan = try Data(contentsOf: Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz"))
    server = try RunningServer([
      Tiny.run.path, "--data", Tiny.data.path, "--max-upload", "0.01", "--memory", "0.05", "--verbose",
    ])
  }

  private func form(_ name: String, _ data: Data) -> RequestForm { RequestForm().with("file", named: name, data) }

  /// Expects the good mask, as before all damage, and no upload that stays.
  private func expectHealth(_ location: SourceLocation = #_sourceLocation) throws {
    let mask = try server.mask("run", "", form("a.nii.gz", scan), location)
    #expect(
      try mask == Predicted.mask(Tiny.run, Tiny.data.appendingPathComponent("Site-A/Case00.nii.gz")),
      sourceLocation: location)
    for _ in 0..<100 where server.kept != [] { usleep(20_000) }
    #expect(server.kept == [], sourceLocation: location)
  }

  @Test func damagedForms() throws {
    let body = form("a.nii.gz", scan).body
    for count in [0, 1, 30, 100, body.count / 2, body.count - 40, body.count - 3] {
      let answer = try server.answer("POST", "/infer/run", Data(body.prefix(count)), RequestForm.type)
      #expect(answer.status == 400 && answer.detail.hasSuffix("."), "\(count): \(answer.detail)")
    }
    let types = [
      "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
      "multipart/form-data; boundary=\(String(repeating: "x", count: 71))", "multipart/mixed; boundary=x",
    ]
    for path in ["/infer/run", "/session/", "/datastore/?image=x", "/datastore/label?image=Site-A/Case00"] {
      for type in types {
        let answer = try server.answer(path == "/infer/run" ? "POST" : "PUT", path, body, ["Content-Type": type])
        #expect(answer.status == 400 && answer.detail.hasSuffix("."), "\(path) \(type): \(answer.detail)")
      }
    }
    // Bytes that never come: the client leaves, and nothing of it stays.
    for cut in [200, body.count - 10] {
      let connection = try HTTPConnection(to: server.port)
      connection.send("POST", "/infer/run", Data(body.prefix(cut)), RequestForm.type, length: body.count)
      connection.endSending()
      if let answer = try? connection.answer() { #expect(answer.status != 200) }
    }
    try expectHealth()
  }

  @Test func damagedLinesOfHTTP() throws {
    let type = "Content-Type: multipart/form-data; boundary=x\r\n"
    let lines = [
      "\u{16}\u{3}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET /info/ HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET /info/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n",
      "GET /info/?\(String(repeating: "a", count: 70_000)) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      "POST /session/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\(type)Content-Length: -1\r\n\r\n",
      "POST /session/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\(type)Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      "PUT /session/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\(type)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "PUT /session/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\(type)Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    ]
    for line in lines {
      let connection = try HTTPConnection(to: server.port, seconds: 20)
      connection.send(Data(line.utf8))
      connection.endSending()
      if let answer = try? connection.answer() { #expect((400..<600).contains(answer.status), "\(line.prefix(60))") }
    }
    try expectHealth()
  }

  /// The client may read the answer before it has sent all, and also if it sends on.
  @Test func bodiesThatAreTooLarge() throws {
    let piece = Data(count: 1 << 20)
    let head = form("a.nii.gz", Data()).open.dropLast(2)
    for (method, path) in [("POST", "/infer/run"), ("PUT", "/session/"), ("POST", "/infer/other")] {
      for isChunked in [false, true] {
        let connection = try HTTPConnection(to: server.port)
        let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 5000000000"
        let type = RequestForm.type["Content-Type"]!
        connection.send(
          Data("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(type)\r\n\(length)\r\n\r\n".utf8))
        func send(_ data: Data) -> Bool {
          connection.send(
            isChunked ? Data("\(String(data.count, radix: 16))\r\n".utf8) + data + Data("\r\n".utf8) : data)
        }
        _ = send(Data(head))
        for _ in 0..<14 where !send(piece) { break }
        let answer = try connection.answer()
        #expect(answer.status == (path == "/infer/other" ? 404 : 413), "\(path) \(isChunked)")
        #expect(answer.headers["connection"] == "close")
        if answer.status == 413 { #expect(answer.detail == "The request is larger than 9 MiB; send less at once.") }
      }
    }
    // Nothing but a head: the answer comes before the body.
    let connection = try HTTPConnection(to: server.port)
    connection.send("PUT", "/session/", Data(), RequestForm.type, length: 5_000_000_000)
    #expect(try connection.answer().status == 413)
    try expectHealth()
  }

  /// Names that clients give are shown to them, and never lead anywhere.
  @Test func namesOfFiles() throws {
    let names = [
      "../../etc/passwd.nii.gz", "/etc/passwd.nii.gz", #"..\..\x.nii.gz"#, "ü 雪\u{202E}.nii.gz", ".nii.gz",
      "%2e%2e%2fx.nii.gz",
      String(repeating: "x", count: 5000) + ".nii.gz",
    ]
    for name in names {
      #expect(try server.answer("POST", "/infer/run?output=json", form(name, scan)).status == 200, "\(name.prefix(40))")
      let session = try server.answer("PUT", "/session/", form(name, scan))
      let info = session.json["session_info"] as? [String: Any]
      let shown = try #require(info?["image"] as? String)
      #expect(!shown.contains("/") && !shown.contains("\\") && shown.utf8.count <= 400, "\(shown)")
      #expect(try server.answer("DELETE", "/session/\(session.json["session_id"] as? String ?? "")").status == 200)
    }
    for name in ["a\u{0}.nii.gz", "a\u{7}.nii.gz"] {
      #expect(try server.answer("POST", "/infer/run", form(name, scan)).status == 400)
    }
    for name in ["../../etc/passwd", "", "a.exe"] {
      let answer = try server.answer("POST", "/infer/run", form(name, scan))
      #expect(
        answer.status == 400 && !answer.detail.contains("/") && !answer.detail.contains("000000"), "\(answer.detail)")
    }
    for path in ["/datastore/image?image=", "/datastore/label?label=", "/datastore/image/info?image="] {
      for name in [
        "../../etc/passwd", "/etc/passwd", "Site-A/Case00%00", "Site-A/../Site-A/Case00", "Site-A%2F..%2F..%2Fx",
      ] {
        #expect(try server.answer("GET", path + name).status == 404, "\(path)\(name)")
      }
    }
    try expectHealth()
  }

  @Test func damagedVolumes() throws {
    var generator = SystemRandomNumberGenerator()
    let noise = Data((0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) })
    for (name, data) in [
      ("a.nii.gz", Data()), ("a.nii.gz", noise), ("a.nii.gz", Data(scan.prefix(scan.count / 2))), ("a.nii", scan),
      ("a.nrrd", noise), ("a.mha", scan), ("a.png", noise), ("IM0001", noise), ("a.dcm", Data(count: 1000)),
    ] {
      let answer = try server.answer("POST", "/infer/run", form(name, data))
      #expect(answer.status == 400 && answer.detail.hasPrefix("\(name): "), "\(answer.detail)")
    }
    // --memory leaves 50 MB to a volume.
    let folder = try TemporaryFolder()
    let large = Image(voxels: [Float](repeating: 0, count: 256 * 256 * 220), geometry: Geometry(size: [256, 256, 220]))
    try large.writeCompactly(to: folder.file("large.nii.gz"))
    let answer = try server.answer(
      "POST", "/infer/run", form("large.nii.gz", Data(contentsOf: folder.file("large.nii.gz"))))
    #expect(
      answer.status == 400 && answer.detail.hasPrefix("large.nii.gz: ") && answer.detail.contains("--memory"),
      "\(answer.detail)")
    let two = form("a.nii.gz", scan).with("file", named: "b.nii.gz", scan)
    #expect(try server.answer("POST", "/infer/run", two).status == 400, "a model of one modality")
    try expectHealth()
  }
}
