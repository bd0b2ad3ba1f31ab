import Basics
import Foundation

/// Writes a folder for another program. It appears once it is complete, or not at all.
///
/// - Throws: `Refusal` if the folder exists and is not empty, or cannot be written; what `body` throws.
func writeExportFolder(_ folder: URL, _ body: (URL) throws -> Void) throws {
  let folder = folder.standardizedFileURL
  try requireNewFolder(folder, option: .output)
  let partial = try PartialPath(folder: folder)
  try body(partial.url)
  _ = rmdir(folder.path)  // an existing folder is empty here
  try partial.rename(to: folder)
}
