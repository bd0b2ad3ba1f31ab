import Foundation
import Testing

@testable import Datasets
@testable import Pages

/// Equal findings are shown once.
@Suite struct FindingGroupTests {
  private func finding(_ index: Int, _ text: String = "holds 7 different values") -> DataCheck.Finding {
    let file = URL(fileURLWithPath: "/data/A/c\(index)_seg.nii.gz")
    return .init(
      .error, .labels, "\(file.path): \(text.replacing("7", with: "\(index)")).", cases: ["A/c\(index)"], files: [file])
  }

  @Test func fourOfAKindBecomeOneLine() {
    let findings = (1...5).map { finding($0) } + [finding(6, "cannot be read")]
    #expect(
      FindingGroup.groups(of: findings).map(\.line) == [
        "error: /data/A/c1_seg.nii.gz: holds 1 different values. Likewise 4 more: A/c2, A/c3, A/c4 and 1 more.",
        "error: /data/A/c6_seg.nii.gz: cannot be read.",
      ])
  }

  @Test func threeOfAKindStayApart() {
    let findings = (1...3).map { finding($0) }
    #expect(FindingGroup.groups(of: findings).map(\.first) == findings)
    #expect(FindingGroup.groups(of: findings).allSatisfy { $0.others.isEmpty })
  }

  @Test func aPageFoldsThemAway() {
    let html = FindingList(findings: (1...5).map { finding($0) }).html.text
    #expect(html.contains("5 Errors") && html.contains("Likewise 4 more"))
    for index in 1...5 { #expect(html.contains("/data/A/c\(index)_seg.nii.gz")) }
  }
}
