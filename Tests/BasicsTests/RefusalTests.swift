import Basics
import Testing

/// The sentence of a refusal and its parts.
@Suite struct RefusalTests {
  @Test func partsMakeASentence() {
    #expect("\(Refusal(.input, "a.nii", "is empty"))" == "a.nii: is empty.")
    #expect("\(Refusal(.input, "a.nii", "is empty", remedy: "delete it"))" == "a.nii: is empty; delete it.")
    #expect("\(Refusal(.input, "is empty", detail: "expected one"))" == "is empty; expected one.")
    let whole = Refusal(.image, "a.nii", "is empty", detail: "expected one", remedy: "copy it")
    #expect("\(whole)" == "a.nii: is empty; expected one: copy it.")
    #expect((whole.subject, whole.found, whole.remedy) == ("a.nii", "is empty", "copy it"))
    #expect("\(Refusal(.input, "a.nii", "is empty", question: "is it whole"))" == "a.nii: is empty; is it whole?")
    #expect("\(Refusal(.input, "It is empty", question: "is it whole"))" == "It is empty; is it whole?")
    #expect("\(Refusal(.input, sentence: "A finding."))" == "A finding.")
  }

  @Test func callersAddWhatTheyKnow() {
    let refusal = Refusal(.weights, "it is empty", remedy: "copy it")
    #expect("\(refusal.about("a.nii"))" == "a.nii: it is empty; copy it.")
    #expect("\(refusal.about("a.nii").about("bn/A"))" == "bn/A: a.nii: it is empty; copy it.")
    #expect(refusal.about("a.nii", .input).kind == .input && refusal.about("a.nii").kind == .weights)
    #expect("\(refusal.remarking("all else is whole"))" == "it is empty; copy it (all else is whole).")
    #expect("\(Refusal(.file, "it is empty").remarking("all else is whole"))" == "it is empty (all else is whole).")
    #expect("\(refusal.followed(by: "All else is whole."))" == "it is empty; copy it. All else is whole.")
  }

  @Test func everyPartIsPrintable() {
    let refusal = Refusal(.input, "a\u{1B}", "b\n", detail: "c\u{202E}", remedy: "d\u{7}")
    #expect("\(refusal.followed(by: "e\r."))" == "a?: b?; c?: d?. e?.")
  }

  @Test func equalsReadAlike() {
    #expect(Refusal(.file, "a", "b") == Refusal(.file, sentence: "a: b."))
    #expect(Refusal(.file, "a", "b") != Refusal(.image, "a", "b"))
  }
}
