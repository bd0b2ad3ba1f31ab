// Tests every reader on mutated files, thousands a second, each within 5 s of processor time and limited memory: make fuzz SECONDS=60.
//
// `fuzz FIXTURES SECONDS [SEED]` starts itself as `fuzz FIXTURES --child READER SEED FIRST COUNT FOLDER`. So a crash
// ends a child rather than the search.

import Foundation
import TestSupport

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  FileHandle.standardError.write(Data("fuzz FIXTURES SECONDS [SEED]\n".utf8))
  exit(64)
}
let fixtures = URL(fileURLWithPath: arguments[1])
if arguments[2] == "--child", arguments.count == 8, let seed = UInt64(arguments[4]), let first = Int(arguments[5]),
  let count = Int(arguments[6]), let reader = Reader.all.first(where: { $0.name == arguments[3] })
{
  try Child(reader, fixtures, seed: seed, folder: URL(fileURLWithPath: arguments[7])).run(first..<first + count)
} else if let seconds = Double(arguments[2]) {
  let seed = arguments.count > 3 ? UInt64(arguments[3]) ?? 1 : UInt64.random(in: 1...1_000_000)
  exit(try Search(fixtures, seconds: seconds, seed: seed).run() ? 0 : 1)
}
