import Foundation

/// A path of a list: absolute, or relative to `folder`.
package func resolvedPath(_ path: String, in folder: URL) -> URL {
  (path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path)).standardizedFileURL
}

/// Whether `name` can be a file in an output folder, with room for an extension, and cannot lead out of it.
package func isSafeFileName(_ name: String) -> Bool {
  !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
    && name.unicodeScalars.allSatisfy { $0 != "/" && $0 != "\\" && $0.properties.generalCategory != .control }
}
