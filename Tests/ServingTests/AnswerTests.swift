import Basics
import Foundation
import Testing

@testable import Serving

/// What answers are made of: figures, tokens, parameters and errors.
@Suite struct AnswerTests {
  @Test func figuresInPrometheusFormat() {
    let metrics = Metrics()
    metrics.count("GET", "/info", 200, 0.25)
    metrics.count("GET", "/info", 200, 0.5)
    metrics.count("POST", "/infer/{model}", 404, 1)
    metrics.countSegmentation(by: "a\"b\\c\nd", seconds: 2)
    metrics.countLabel()
    let text = metrics.text(waiting: 3, kept: 4)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.last == "" && lines.filter { $0.hasPrefix("# TYPE ") }.count == 8)
    for line in [
      #"dualnorm_requests_total{method="GET",route="/info",status="200"} 2"#,
      #"dualnorm_requests_total{method="POST",route="/infer/{model}",status="404"} 1"#,
      "dualnorm_request_seconds_total 1.750", #"dualnorm_segmentations_total{model="a\"b\\c\nd"} 1"#,
      "dualnorm_segmentation_seconds_total 2.000", "dualnorm_labels_saved_total 1", "dualnorm_segmentations_waiting 3",
      "dualnorm_uploads_kept 4", "# TYPE dualnorm_requests_total counter", "# TYPE dualnorm_uploads_kept gauge",
    ] {
      #expect(lines.contains(Substring(line)), "\(line)")
    }
    // A family's samples follow its type at once.
    let families = lines.filter { !$0.hasPrefix("# HELP") }.compactMap { $0.firstMatch(of: /dualnorm_\w+/)?.0 }
    #expect(zip(families, families.dropFirst()).count { $0 != $1 } == 7)
    #if os(Linux)
      let memory = lines.compactMap { $0.wholeMatch(of: /dualnorm_resident_bytes (\d+)/) }.first.flatMap { Int($0.1) }
      #expect(memory.map { (1 << 20)...(1 << 40) ~= $0 } == true)
    #endif
  }

  @Test func tokensAreComparedWhole() {
    let token = Token("0123456789abcdef")
    #expect(token.isEqual(to: "0123456789abcdef") && token.isGiven(by: "Bearer 0123456789abcdef"))
    #expect(token.isGiven(by: "BEARER 0123456789abcdef"))
    for other in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef ", "0123456789abcdef\u{0}"] {
      #expect(!token.isEqual(to: other) && !token.isGiven(by: "Bearer " + other))
    }
    for header in [nil, "", "Bearer", "0123456789abcdef", "Basic 0123456789abcdef"] {
      #expect(!token.isGiven(by: header))
    }
  }

  @Test func addressesOfThisMachine() {
    for host in ["127.0.0.1", "127.9.9.9", "localhost", "::1"] { #expect(isLoopback(host), "\(host)") }
    for host in ["", "0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "localhost.example", "1127.0.0.1", "127.0.0.1 "]
    {
      #expect(!isLoopback(host), "\(host)")
    }
  }

  @Test func fieldsOfForms() {
    #expect(formFields("a=1&b=x+y%2Fz&c&a=2&=3") == ["a": "1", "b": "x y/z", "c": "", "": "3"])
    #expect(formFields("") == [:] && formFields("&&") == [:])
    #expect(formFields("a=%zz&b=%") == ["a": "%zz", "b": "%"], "text that is not encoded stays")
  }

  @Test func parametersOfOtherKindsAreRefused() throws {
    let given = try ClientParameters(
      json:
        #"{"a": "x", "b": ["y", "z"], "c": null, "d": 1, "e": true, "f": [], "label_info": [{"name": "l", "idx": 2}]}"#)
    #expect(try given.text("a") == "x" && given.text("b") == "y" && given.text("c") == nil && given.text("none") == nil)
    #expect(try given.flag("e") == true && given.flag("c") == nil)
    #expect(try given.labelNumbers()?.map(\.name) == ["l"] && given.labelNumbers()?.map(\.number) == [2])
    #expect(try given.text("f") == nil)
    #expect(throws: ServiceError.self) { try given.text("d") }
    #expect(throws: ServiceError.self) { try given.flag("a") }
    for text in ["[]", "1", "{", "\"x\"", "nonsense"] {
      #expect(throws: ServiceError.self, "\(text)") { try ClientParameters(json: text) }
    }
    for text in [nil, "", "{}"] { #expect(try ClientParameters(json: text).labelNumbers() == nil) }
    for entry in [
      #"{"name": "l"}"#, #"{"idx": 1}"#, #"{"name": "l", "idx": 0}"#, #"{"name": "l", "idx": 1.5}"#,
      #"{"name": 1, "idx": 1}"#, "1",
    ] {
      let parameters = try ClientParameters(json: #"{"label_info": [\#(entry)]}"#)
      #expect(throws: ServiceError.self, "\(entry)") { try parameters.labelNumbers() }
    }
  }

  @Test func errorsNameNoPathsOfTheServer() {
    let file = Refusal(.file, "/data/Site-A/Doe.nii.gz", "cannot be written (No space left on device)")
    let answer = ServiceError.of(file)
    #expect(
      answer.status == .internalServerError && !answer.detail.contains("Doe") && answer.detail.contains("No space left")
    )
    #expect(!ServiceError.logged(file).contains("Doe") && ServiceError.logged(file).contains("No space left"))
    let image = Refusal(.image, "/tmp/upload/000000.nii.gz", "is empty", remedy: "copy it again")
    let told = ServiceError.of(
      image, hiding: [("/tmp/upload/000000.nii.gz", "scan.nii.gz"), ("/tmp/upload", "the upload")])
    #expect(told.status == .badRequest && told.detail == "scan.nii.gz: is empty; copy it again.")
    #expect(ServiceError.of(CancellationError()).status == .badRequest)
    let strange = CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: "/data/Doe.nii.gz"])
    #expect(ServiceError.of(strange).status == .internalServerError)
    #expect(!ServiceError.logged(strange).contains("Doe") && !ServiceError.of(strange).detail.contains("Doe"))
  }
}
