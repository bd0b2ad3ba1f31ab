/// A refusal of a file, a setting or a case that cannot be used.
///
/// `description` is one sentence for the user, `subject: found; remedy.`
public struct Refusal: Error, CustomStringConvertible, Equatable, Sendable {
  /// The kinds that callers tell apart.
  public enum Kind: Sendable {
    /// A setting, or a file that contradicts the others or itself.
    case input
    /// A file or folder that the system does not read or write.
    case file
    /// An image, a mask or a picture that cannot be read or written.
    case image
    /// A file of weights.
    case weights
  }

  public let kind: Kind
  /// The file, setting or case; empty where `found` is a sentence of its own.
  public let subject: String
  /// The finding.
  public let found: String
  /// A second clause: the expectation, or the cause of the finding; may be empty.
  public let detail: String
  /// The action that helps; empty where `found` or `detail` implies it.
  public let remedy: String
  /// The end of the sentence, and sentences that follow it.
  private let end: String

  /// Makes the sentence "subject: found; detail: remedy."
  package init(_ kind: Kind, _ subject: String, _ found: String, detail: String = "", remedy: String = "") {
    self.init(kind, subject: subject, found, detail, remedy, end: ".")
  }

  /// Makes the sentence "found; detail: remedy."
  package init(_ kind: Kind, _ found: String, detail: String = "", remedy: String = "") {
    self.init(kind, subject: "", found, detail, remedy, end: ".")
  }

  /// Makes a sentence whose remedy is a question.
  package init(_ kind: Kind, _ subject: String, _ found: String, detail: String = "", question: String) {
    self.init(kind, subject: subject, found, detail, question, end: "?")
  }

  /// Makes a sentence without a subject whose remedy is a question.
  package init(_ kind: Kind, _ found: String, question: String) {
    self.init(kind, subject: "", found, "", question, end: "?")
  }

  /// Takes a whole sentence, such as a finding of the data check, with its full stop.
  package init(_ kind: Kind, sentence: String) {
    self.init(kind, subject: "", sentence, "", "", end: "")
  }

  private init(_ kind: Kind, subject: String, _ found: String, _ detail: String, _ remedy: String, end: String) {
    self.kind = kind
    self.subject = printable(subject)
    self.found = printable(found)
    self.detail = printable(detail)
    self.remedy = printable(remedy)
    self.end = end
  }

  public var description: String {
    let place = subject.isEmpty ? "" : subject + ": "
    let clauses = detail.isEmpty ? found : "\(found); \(detail)"
    return place + clauses + (remedy.isEmpty ? "" : (detail.isEmpty ? "; " : ": ") + remedy) + end
  }

  /// Tells whether two refusals are of one kind and read alike.
  public static func == (a: Refusal, b: Refusal) -> Bool { a.kind == b.kind && a.description == b.description }

  /// The same refusal of a subject, or of a part of it where the refusal has a subject already.
  package func about(_ place: String, _ kind: Kind? = nil) -> Refusal {
    let whole = subject.isEmpty ? place : "\(place): \(subject)"
    return Refusal(kind ?? self.kind, subject: whole, found, detail, remedy, end: end)
  }

  /// The same refusal with another sentence after it.
  package func followed(by sentence: String) -> Refusal {
    Refusal(kind, subject: subject, found, detail, remedy, end: "\(end) \(printable(sentence))")
  }

  /// The same refusal with a remark in parentheses at the sentence's end.
  package func remarking(_ remark: String) -> Refusal {
    let text = " (\(remark))"
    return remedy.isEmpty
      ? Refusal(kind, subject: subject, found + text, detail, remedy, end: end)
      : Refusal(kind, subject: subject, found, detail, remedy + text, end: end)
  }
}
