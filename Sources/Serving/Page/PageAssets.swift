import Foundation
import Hummingbird

/// The files of the page, which are in the program.
enum PageAssets {
  private static let files: [String: [UInt8]] = [
    "/": PackageResources.page_html, "/page.css": PackageResources.page_css, "/page.js": PackageResources.page_js,
    "/dom.js": PackageResources.dom_js, "/drawing.js": PackageResources.drawing_js,
    "/files.js": PackageResources.files_js, "/form.js": PackageResources.form_js,
    "/outline.js": PackageResources.outline_js, "/requests.js": PackageResources.requests_js,
    "/result.js": PackageResources.result_js, "/slices.js": PackageResources.slices_js,
    "/viewer.js": PackageResources.viewer_js,
  ]

  static var names: Set<String> { Set(files.keys) }

  static func addRoutes(to router: Router<ServedContext>) {
    for (path, bytes) in files {
      let type = path.hasSuffix(".css") ? "text/css" : path.hasSuffix(".js") ? "text/javascript" : "text/html"
      router.get(RouterPath(path)) { _, _ in Response.bytes(bytes, type: "\(type); charset=utf-8") }
    }
  }
}
