import Foundation
import Testing

/// The completion script, loaded as in a user's bash.
@Suite struct CompletionTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let script = try dualnorm("--generate-completion-script", "bash")
    #expect(script.status == 0 && script.errors == "")
    try Data(script.output.utf8).write(to: folder.file("dualnorm.bash"))
    try FileManager.default.createDirectory(at: folder.file("volumes"), withIntermediateDirectories: true)
    try Data().write(to: folder.file("volume.nii.gz"))
  }

  /// The words that bash offers to complete the last word.
  private func offered(_ words: [String]) throws -> Set<String> {
    let bash = Process()
    let output = Pipe()
    bash.executableURL = URL(fileURLWithPath: "/bin/bash")
    bash.currentDirectoryURL = folder.url
    bash.arguments =
      [
        "-c",
        """
        source ./dualnorm.bash && complete -p dualnorm >/dev/null || exit 1
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        _dualnorm "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """, "bash",
      ] + words
    bash.standardOutput = output
    try bash.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    bash.waitUntilExit()
    #expect(bash.terminationStatus == 0)
    return Set(String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")),
    arguments: [
      (["dualnorm", "pre"], ["prepare", "predict"]),
      (["dualnorm", "experiment", "m"], ["matrix"]),
      (["dualnorm", "train", "--norm", ""], ["bn", "in", "gn", "ln", "dsbn"]),
      (["dualnorm", "score", "--like", "m"], ["medpy", "medpy-0.4", "monai"]),
      (["dualnorm", "train", "--data", "vol"], ["volumes"]),
      (["dualnorm", "predict", "--input", "vol"], ["volumes", "volume.nii.gz"]),
    ])
  func wordIsCompleted(words: [String], offers: [String]) throws {
    #expect(try offered(words) == Set(offers))
  }
}
