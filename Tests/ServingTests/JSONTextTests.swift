import Basics
import Foundation
import Serving
import Testing

@Suite struct JSONTextTests {
  @Test func keepsTheOrderOfKeys() {
    let labels: JSONText = ["spleen": 1, "liver": 2, "aorta": 3, "background": 0]
    #expect(labels.text == #"{"spleen":1,"liver":2,"aorta":3,"background":0}"#)
    let keys = (0..<1000).map { "label \($0 * 7919 % 1000)" }
    let text = JSONText.object(keys.enumerated().map { ($1, .integer($0)) }).text
    #expect(text == "{" + keys.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",") + "}")
    #expect(labels == ["spleen": 1, "liver": 2, "aorta": 3, "background": 0])
    #expect(labels != ["liver": 2, "spleen": 1, "aorta": 3, "background": 0])
  }

  @Test func literalsBecomeValues() {
    let name = "model"
    let value: JSONText = ["a": [1, 2.5, true, nil, "\(name) 1", [:], []], "b": .number(3), "c": -7]
    #expect(value.text == #"{"a":[1,2.5,true,null,"model 1",{},[]],"b":3.0,"c":-7}"#)
    #expect(String(decoding: value.data, as: UTF8.self) == value.text)
  }

  @Test func escapes() {
    let text = JSONText.string("\"\\/\n\r\t\u{0}\u{8}\u{c}\u{1f}\u{7f}\u{85}\u{2028}\u{2029} é脑😀").text
    #expect(
      text == #""\"\\/\n\r\t\u0000\u0008\u000c\u001f\u007f\u0085\u2028\u2029 é脑😀""#)
    // Swift takes CR and LF for one character.
    #expect(JSONText.string("\r\n").text == #""\r\n""#)
    #expect(JSONText.object([("a\"\n", .null)]).text == #"{"a\"\n":null}"#)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity]) func numbersThatAreNotFiniteBecomeNull(value: Double) {
    #expect(JSONText.number(value).text == "null")
  }

  @Test func everyCharacterComesBack() throws {
    let scalars = (0...0x10FFFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    let back = try JSONSerialization.jsonObject(with: JSONText.string(String(text)).data, options: .fragmentsAllowed)
    #expect(try #require(back as? String).unicodeScalars.elementsEqual(scalars))
  }

  @Test func numbersComeBackToTheBit() throws {
    var random = SeededGenerator(seed: 1)
    // LibTorch's threads, on which a test may run, have no subnormal numbers.
    let drawn = (0..<2000).map { _ in Double(bitPattern: random.next()) }.filter(\.isNormal)
    let values = drawn + [0, -0.0, 0.1, 1e16, 1e-5, .greatestFiniteMagnitude, .leastNormalMagnitude, 123_456_789]
    let back = try JSONDecoder().decode([Double].self, from: JSONText.array(values.map { .number($0) }).data)
    #expect(back.map(\.bitPattern) == values.map(\.bitPattern))
    let integers = [Int.min, -1, 0, 1, Int.max]
    #expect(try JSONDecoder().decode([Int].self, from: JSONText.array(integers.map { .integer($0) }).data) == integers)
  }

  @Test func randomValuesComeBack() throws {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<200 {
      let value = Self.value(&random, depth: 5)
      let back = try JSONSerialization.jsonObject(with: value.data, options: .fragmentsAllowed)
      #expect((back as? NSObject) == Self.object(value))
    }
  }

  static func value(_ random: inout SeededGenerator, depth: Int) -> JSONText {
    switch random.integer(below: depth > 0 ? 7 : 5) {
    case 0: return .string(text(&random))
    case 1: return .number(Double(random.integer(below: 1000)) / 8)
    case 2: return .integer(random.integer(below: 1000) - 500)
    case 3: return .bool(random.integer(below: 2) == 0)
    case 4: return .null
    case 5: return .array((0..<random.integer(below: 5)).map { _ in value(&random, depth: depth - 1) })
    default:
      return .object((0..<random.integer(below: 5)).map { ("\($0)\(text(&random))", value(&random, depth: depth - 1)) })
    }
  }

  static func text(_ random: inout SeededGenerator) -> String {
    let characters = Array("ab\"\\/\n\u{1}\u{2028}é😀{}[],: ")
    return String((0..<random.integer(below: 8)).map { _ in characters[random.integer(below: characters.count)] })
  }

  static func object(_ value: JSONText) -> NSObject {
    switch value {
    case .object(let members):
      NSDictionary(dictionary: Dictionary(uniqueKeysWithValues: members.map { ($0, object($1)) }))
    case .array(let values): NSArray(array: values.map(object))
    case .string(let text): NSString(string: text)
    case .number(let number): NSNumber(value: number)
    case .integer(let number): NSNumber(value: number)
    case .bool(let bool): NSNumber(value: bool)
    case .null: NSNull()
    }
  }
}
