import Basics
import Foundation
import MedicalImaging

/// A case list `all_list.txt`: one line `image,mask` or `image,mask,patient` a case.
///
/// Paths are absolute or relative to the list's folder. Blank lines and lines that begin with `#` are skipped.
struct CaseList {
  private let url: URL
  private let lines: [(number: Int, text: String)]

  init(contentsOf url: URL) throws {
    guard let data = contents(ofRegularFile: url), let text = String(data: data, encoding: .utf8) else {
      throw Refusal(
        .input, url.path, "cannot be read as UTF-8 text", remedy: "save it as plain text with a line image,mask a case")
    }
    self.url = url
    lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated().map { ($0.offset + 1, $0.element.trimmingCharacters(in: .whitespaces)) }
      .filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
  }

  func cases(site: String, requireMasks: Bool) throws -> [Case] {
    guard !lines.isEmpty else {
      throw Refusal(.input, url.path, "lists no cases", remedy: "write a line image,mask a case, or delete the file")
    }
    var lineOfName: [String: Int] = [:]
    return try lines.map { number, text in
      let scan = try entry(text, line: number, site: site, requireMasks: requireMasks)
      if let earlier = lineOfName.updateValue(number, forKey: scan.name) {
        throw Refusal(
          .input, "\(url.path), line \(number)", "case \(scan.name) is already in line \(earlier)",
          remedy: "delete one of the lines or rename the file")
      }
      return scan
    }
  }

  private func entry(_ text: String, line: Int, site: String, requireMasks: Bool) throws -> Case {
    let fields = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    let maskless = !requireMasks && (fields.count == 1 || fields[1].isEmpty)
    guard fields.count <= 3, !fields[0].isEmpty, maskless || fields.count > 1 && !fields[1].isEmpty,
      fields.count < 3 || !fields[2].isEmpty
    else {
      throw Refusal(
        .input, "\(url.path), line \(line)", "expected image,mask or image,mask,patient but found \"\(quoted(text))\"",
        remedy: "correct the line")
    }
    let image = try file(fields[0], line: line)
    let mask = maskless ? nil : try file(fields[1], line: line)
    guard image != mask else {
      throw Refusal(
        .input, "\(url.path), line \(line)", "image and mask are the same file",
        remedy: "name the mask after the comma")
    }
    let name = volumeStem(image) ?? image.lastPathComponent
    return Case(name: name, site: site, patient: fields.count == 3 ? fields[2] : nil, images: [image], mask: mask)
  }

  private func file(_ path: String, line: Int) throws -> URL {
    let resolved = resolvedPath(path, in: url.deletingLastPathComponent())
    try requireAccess(to: resolved)
    guard FileManager.default.fileExists(atPath: resolved.path) else {
      throw Refusal(
        .input, "\(url.path), line \(line)", "\(resolved.path) does not exist",
        remedy: "correct the entry or restore the file")
    }
    guard volumeStem(resolved) != nil || holdsSeries(resolved) || isDICOM(resolved) else {
      throw Refusal(
        .input, "\(url.path), line \(line)", "\(resolved.path) is not an image file",
        detail: "expected one of \(listed(readableEndings, atMost: .max))")
    }
    return resolved
  }
}
