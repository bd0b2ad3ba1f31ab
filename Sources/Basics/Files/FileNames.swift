package import Foundation

/// Resolves a path from a list: absolute, or relative to `folder`.
package func resolvedPath(_ path: String, in folder: URL) -> URL {
  (path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path)).standardizedFileURL
}

/// Tells whether `name` is safe as a file name in an output folder: it cannot lead out and leaves room for an extension.
package func isSafeFileName(_ name: String) -> Bool {
  !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
    && name.unicodeScalars.allSatisfy { $0 != "/" && $0 != "\\" && $0.properties.generalCategory != .control }
}
