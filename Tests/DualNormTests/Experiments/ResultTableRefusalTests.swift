import Foundation
import Testing

@testable import Basics
@testable import Experiments

@Suite struct ResultTableRefusalTests {
  static let header = "method,fold,seed,train_sites,test_site,case,class,pass,metric,value,outcome\n"
  static let line = "bn,0,1,A,B,Case1,organ,first,dice,0.5,found\n"

  /// The error sentence after the file's path; nil for none.
  func refusal(_ text: String) throws -> String? {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("r.csv")
    try Data(text.utf8).write(to: file)
    let error = #expect(throws: Refusal.self) { try ResultTable(contentsOf: file) }
    #expect(error?.description.hasPrefix(file.path) == true)
    return error.map { String($0.description.dropFirst(file.path.count)) }
  }

  @Test func anotherHeader() throws {
    let expected = ", line 1: expected the header \(Self.header.dropLast()) but found "
    #expect(try refusal("site,case\nA,1\n") == expected + "\"site,case\"; give the results of an experiment.")
    #expect(try refusal("") == expected + "nothing; give the results of an experiment.")
  }

  @Test func wrongFields() throws {
    func refused(_ old: String, _ new: String) throws -> String? {
      try refusal(Self.header + Self.line + Self.line.replacingOccurrences(of: old, with: new))
    }
    #expect(try refused(",found", "") == ", line 3: expected 11 fields but found 10; correct the line.")
    #expect(try refused("0.5", "0,5") == ", line 3: expected 11 fields but found 12; correct the line.")
    #expect(
      try refused("0.5", "high")
        == ", line 3: the value \"high\" is no number; write a number, or nothing where it is undefined.")
    #expect(
      try refused("0.5", "nan")
        == ", line 3: the value \"nan\" is no number; write a number, or nothing where it is undefined.")
    #expect(
      try refused("0,1,", "0,-1,") == ", line 3: the seed \"-1\" is no whole number from 0 on; correct the line.")
    #expect(try refused("dice", "dcie") == ", line 3: \"dcie\" is no metric; did you mean dice?")
    #expect(
      try refused("found", "lost")
        == ", line 3: \"lost\" is no outcome; expected one of found, miss, falseAlarm and bothEmpty.")
    #expect(
      try refused("0.5", "0.25")
        == ": dice of B/Case1 organ (method bn, fold 0, seed 1, pass first) is given twice, as 0.5 (found) and as 0.25 "
        + "(found); keep the results of one run.")
  }

  @Test func brokenQuotes() throws {
    #expect(
      try refusal(Self.header + "\"bn\n,0,1") == ", line 2: a quote is never closed; is the file complete?")
    #expect(
      try refusal(Self.header + "\"b\nn\"x,0\n")
        == ", line 3: text follows a closing quote; put the whole field in quotes and double those inside.")
    #expect(
      try refusal(Self.header + "b\"n\",0\n")
        == ", line 2: a quote stands inside a field that does not begin with one; put the whole field in quotes and "
        + "double those inside.")
  }

  @Test func absentOrNoText() throws {
    let absent = URL(fileURLWithPath: "/nowhere/r.csv")
    let error = #expect(throws: Refusal.self) { try ResultTable(contentsOf: absent) }
    #expect(error?.description == "/nowhere/r.csv: cannot be read; give the CSV file of an experiment's results.")
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("r.csv")
    try Data([0xFF, 0xFE, 0x00]).write(to: file)
    let noText = #expect(throws: Refusal.self) { try ResultTable(contentsOf: file) }
    #expect(noText?.description == "\(file.path): is not UTF-8 text; save it as CSV in UTF-8.")
  }
}
