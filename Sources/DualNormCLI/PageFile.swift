import ArgumentParser
import Basics
import Foundation
import Pages

/// - Throws: `ValidationError` for a page without an HTML extension.
func validatePage(_ path: String?, option: String) throws {
  guard let path, !["html", "htm"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) else { return }
  throw ValidationError("\(option) \(path): a report is an HTML page; give it the ending .html.")
}

/// Checks the file of a page before the work that the page will show.
///
/// - Throws: `Refusal` for a place that cannot be written to, `Refusal` for a pipe or a device.
func writablePage(_ path: String, option: String) throws -> URL {
  let url = URL(fileURLWithPath: path)
  let folder = url.deletingLastPathComponent()
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
    throw Refusal(.input, "\(option) \(url.path)", "is a folder", remedy: "give a file in it")
  }
  guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
    throw Refusal(
      .input, "\(option) \(url.path)", "there is no folder \(folder.path)", remedy: "make it first, or check the path")
  }
  guard isFolder.boolValue else {
    throw Refusal(.input, "\(option) \(url.path)", "\(folder.path) is a file", remedy: "give a place in a folder")
  }
  let code = codeOfEntering(folder)
  guard code == 0 else {
    throw Refusal(
      .input, "\(option) \(url.path)", "\(folder.path) cannot be written to\(readOnlyDisk(code))",
      remedy: "give a folder that you may write to")
  }
  try requireReplaceable(url)
  return url
}

/// - Parameter notices: messages to show before the file's size.
func write(_ report: Report, to file: URL, notices: [String] = []) throws {
  try report.write(to: file)
  for notice in notices { Messages.say(notice) }
  Messages.say("Wrote \(file.path) (\(String(format: "%.1f", Double(report.html.utf8.count) / 1e6)) MB).")
}
