import Foundation
import Testing

/// Who gets in: programs of this machine, holders of the token, pages of allowed sites.
@Suite struct ServeAccessTests {
  let folder: TemporaryFolder
  private let secret = "0123456789abcdef-secret"

  init() throws { folder = try TemporaryFolder() }

  private func tokenFile(_ text: String, mode: Int = 0o600) throws -> String {
    let file = folder.file("token")
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    return file.path
  }

  @Test func holdersOfTheToken() throws {
    let server = try RunningServer([Tiny.run.path, "--token", tokenFile(secret + "\n"), "--verbose"])
    for path in ["/info/", "/metrics", "/auth/token/valid", "/page/models", "/nothing", "//health", "/health/../info/"]
    {
      let start = ContinuousClock.now
      let answer = try server.answer("GET", path)
      #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer", "\(path)")
      #expect(start.duration(to: .now) > .milliseconds(400), "guessing takes time")
    }
    let wrong = [
      "Bearer \(secret)x", "Bearer \(secret.dropLast())", "Bearer", "Bearer ", "Basic \(secret)", secret,
      "Bearer  \(secret)",
      "Bearer \(secret.uppercased())",
    ]
    for value in wrong {
      #expect(try server.answer("GET", "/info/", Data(), ["Authorization": value]).status == 401, "\(value)")
    }
    for value in ["Bearer \(secret)", "bearer \(secret)"] {
      #expect(try server.answer("GET", "/info/", Data(), ["Authorization": value]).status == 200, "\(value)")
    }
    for path in ["/health", "/auth/", "/", "/page.js"] {
      #expect(try server.answer("GET", path).status == 200, "\(path)")
    }
    #expect(try server.answer("GET", "/auth/").json["enabled"] as? Bool == true)
    let type = ["Content-Type": "application/x-www-form-urlencoded"]
    let form = "username=any+one&password=\(secret)&grant_type=password"
    let given = try server.answer("POST", "/auth/token", Data(form.utf8), type).json
    #expect(given["access_token"] as? String == secret && given["token_type"] as? String == "Bearer")
    for form in ["username=a&password=b", "", "password=", "password=%", String(repeating: "a", count: 100_000)] {
      let answer = try server.answer("POST", "/auth/token", Data(form.utf8), type)
      #expect((400..<500).contains(answer.status), "\(answer.status) \(form.prefix(30))")
    }
    let end = try server.end()
    #expect(end.status == 0 && !end.errors.contains(secret))
  }

  /// A page of another site reaches 127.0.0.1 in a browser of this machine, and by a name that leads there.
  @Test func pagesOfOtherSites() throws {
    let server = try RunningServer([Tiny.run.path])
    for host in ["evil.example", "evil.example:\(server.port)", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil"]
    {
      #expect(try server.answer("GET", "/info/", Data(), ["Host": host]).status == 403, "\(host)")
    }
    for host in ["127.0.0.1", "127.0.0.1:\(server.port)", "localhost", "localhost:1", "[::1]:8000", "127.1.2.3"] {
      #expect(try server.answer("GET", "/info/", Data(), ["Host": host]).status == 200, "\(host)")
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"] {
      for method in ["GET", "POST", "PUT", "OPTIONS", "DELETE"] {
        let answer = try server.answer(method, "/info/", Data(), ["Origin": origin])
        #expect(answer.status == 403 && answer.headers["access-control-allow-origin"] == nil, "\(method) \(origin)")
      }
    }
    let own = ["Host": "localhost:\(server.port)", "Origin": "http://localhost:\(server.port)"]
    #expect(try server.answer("GET", "/info/", Data(), own).status == 200)
    // A form of another page has no header of its own.
    let form = RequestForm(["model": "run"]).with("files", named: "a.nii.gz", Data())
    let answer = try server.answer("POST", "/page/jobs", form)
    #expect(answer.status == 403 && answer.detail.contains("X-DualNorm"))
    #expect(try server.answer("POST", "/page/jobs", form, ["X-DualNorm": "1"]).status == 202)
    #expect(try server.answer("DELETE", "/page/jobs/x").status == 403)
    let page = try server.answer("GET", "/")
    #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    #expect(page.headers["x-content-type-options"] == "nosniff" && page.headers["cache-control"] == "no-store")
  }

  @Test func pagesOfAnAllowedSite() throws {
    let site = "https://viewer.example"
    let server = try RunningServer(
      [Tiny.run.path, "--token", tokenFile(secret), "--allow-origin", site, "--allow-origin", "http://other:3000"])
    // Browsers ask without the token.
    for origin in [site, "http://other:3000"] {
      let asked = try server.answer(
        "OPTIONS", "/infer/run", Data(), ["Origin": origin, "Access-Control-Request-Method": "POST"])
      #expect(asked.status == 204 && asked.headers["access-control-allow-origin"] == origin)
      #expect(asked.headers["access-control-allow-headers"]?.contains("Authorization") == true)
      #expect(asked.headers["vary"] == "Origin" && asked.headers["access-control-allow-credentials"] == nil)
    }
    for origin in ["https://viewer.example.evil", "http://viewer.example", "https://viewer.example:444", "null"] {
      #expect(try server.answer("OPTIONS", "/infer/run", Data(), ["Origin": origin]).status == 403, "\(origin)")
    }
    // The page reads errors, too.
    for (headers, path, status) in [
      (["Authorization": "Bearer \(secret)"], "/info/", 200), ([:], "/info/", 401),
      (["Authorization": "Bearer \(secret)"], "/train/", 404),
    ] {
      let answer = try server.answer("GET", path, Data(), headers.merging(["Origin": site]) { $1 })
      #expect(answer.status == status && answer.headers["access-control-allow-origin"] == site, "\(status)")
    }
  }

  @Test func addressesAndTokensThatAreRefused() throws {
    let run = try Tiny.run.path
    for host in ["0.0.0.0", "[::]"] {
      let result = try dualnorm("serve", run, "--listen", "\(host):0")
      #expect(result.status == 1 && result.output == "")
      #expect(
        messagesBesideWarnings(result.errors).hasPrefix(
          "Error: --listen \(host.trimmingCharacters(in: ["[", "]"])): other machines reach this address, and whoever does may use the server; "
        ), "\(result.errors)")
    }
    let short =
      "holds no token; expected one line of 16 to 1024 characters without blanks: make one, for example by: openssl rand -hex 32."
    for text in ["", "short", "a secret with blanks in it", "0123456789abcdef\n0123456789abcdef", "0123456789abcdeé"] {
      let file = try tokenFile(text)
      try expectRefusal("\(file): \(short)", of: ["serve", run, "--token", file])
    }
    for mode in [0o644, 0o640, 0o604, 0o620] {
      let file = try tokenFile(secret, mode: mode)
      try expectRefusal(
        "\(file): others than its owner may read the token; run chmod 600 on it.", of: ["serve", run, "--token", file])
    }
    let missing = folder.file("missing").path
    try expectRefusal(
      "\(missing): there is no such file; write the token to a file of its own.",
      of: ["serve", run, "--token", missing])
    let wrong: [([String], String)] = [
      (["--listen", "8000"], "--listen 8000: expected an address and a port, such as 127.0.0.1:8000 or [::1]:8000."),
      (
        ["--listen", "127.0.0.1:65536"],
        "--listen 127.0.0.1:65536: expected an address and a port, such as 127.0.0.1:8000 or [::1]:8000."
      ),
      (["--max-upload", "0"], "--max-upload 0.0: expected gigabytes from 0.001 to 1000, such as 4."),
      (["--max-upload", "nan"], "--max-upload nan: expected gigabytes from 0.001 to 1000, such as 4."),
      (["--keep", "0"], "--keep 0: expected minutes from 1 to 10080, such as 30."),
      (["--queue", "0"], "--queue 0: expected a number from 1 to 100000, such as 256."),
      (
        ["--allow-origin", "*"],
        "--allow-origin *: expected a scheme and a host without a path, such as https://viewer.example."
      ),
      (
        ["--allow-origin", "https://a.example/x"],
        "--allow-origin https://a.example/x: expected a scheme and a host without a path, such as https://viewer.example."
      ),
    ]
    for (options, sentence) in wrong { try expectRefusal(sentence, status: 64, of: ["serve", run] + options) }
    let copy = folder.file("run")
    try FileManager.default.copyItem(atPath: run, toPath: copy.path)
    try expectRefusal(
      "run: is the name of two models, by which clients tell them apart; rename one of the folders.",
      of: ["serve", run, copy.path])
  }
}
