import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging
import Pictures
import Scores

/// γ and β of the dual layers for one slice of one case, as pictures and as means over the regions of the mask.
struct DualMapSection {
  private let model: SegmentationModel
  private let scan: Case
  private let z: Int
  private let item: PreparedCase
  private let view: SliceView
  private let pixelAspect: Double

  /// - Parameter slice: the slice; nil for the one with the most foreground in the truth, or the middle one.
  /// - Returns: the section, or a sentence on files of the case that cannot be read.
  static func html(_ model: SegmentationModel, scan: Case, slice: Int?) throws -> Markup {
    do {
      return try DualMapSection(model, scan: scan, slice: slice).html()
    } catch let error as Refusal where error.kind == .image {
      return paragraph("\(error)")
    }
  }

  private init(_ model: SegmentationModel, scan: Case, slice: Int?) throws {
    (self.model, self.scan) = (model, scan)
    item = try model.description.prepared(scan)
    let geometry = item.volume.geometry
    let stored = item.volume.grid.storedGeometry
    let mask = try scan.labels()?.onVoxels(of: stored).reoriented(to: geometry.orientation)
    let fullest = mask.map(SheetRow.fullestSlice) ?? geometry.size.z / 2
    // A reoriented volume has other slices than the file.
    let isTurned = geometry.orientation != stored.orientation
    z = min((isTurned ? nil : slice) ?? fullest, geometry.size.z - 1)
    view = SliceView(direction: geometry.direction)
    // Compute the spacing of the network's pixels, which resampling may have changed.
    let size = model.description.preparation.resampledSize(geometry)
    let spacing = (
      x: geometry.spacingMM.x * Double(geometry.size.x) / Double(size.width),
      y: geometry.spacingMM.y * Double(geometry.size.y) / Double(size.height)
    )
    pixelAspect = view.isTransposed ? spacing.x / spacing.y : spacing.y / spacing.x
  }

  private func html() throws -> Markup {
    let maps = model.dualMaps(of: item, slice: z)
    guard let dual = model.description.network.dual, let first = maps.first else {
      return paragraph("The network has no dual blocks, so all pixels of a channel are normalized alike.")
    }
    let name = "\(scan.identifier), slice \(z + 1) of \(item.volume.geometry.size.z)"
    let source =
      switch dual.maskSource {
      case .prediction: "the mask of the first pass"
      case .reference: "the true mask"
      case .uniform: "a mask that is the same everywhere"
      }
    let measured =
      dual.localStatistics == .measured
      ? " Before that, this network normalizes each region by its own statistics, which is not shown." : ""
    let layers = try maps.map { try layer($0, name) }
    return """
      <p>A dual layer scales and shifts the batch-normalized x̂ in every pixel: y = x̂ · (1 + γ) + β. It predicts γ and β \
      from \(source) alone, so they say what it does differently in each region.\(measured) Shown for \
      \(name), on the network's grid. White is the median of each map; the colours reach as far from it as 98 % of its \
      pixels do (a layer pads with zeros, so its borders differ).</p>
      \(try input(first, name))\(regionTable(maps).html(caption: "Mean of γ and β over channels and over the pixels of each region of the mask"))
      \(layers)
      """
  }

  /// The network's input, and the mask that the dual layers use.
  private func input(_ map: DualMap, _ name: String) throws -> Markup {
    let shown = try model.shownWindow(of: item, slice: z)
    let (height, width) = (shown.size.height, shown.size.width)
    let channels = shown.channels.map { view.applied(to: $0, width: width, height: height) }
    let (columns, rows) = view.isTransposed ? (height, width) : (width, height)
    let reduction = max(1, (max(columns, rows) + 255) / 256)
    let row = SheetRow(title: name, width: columns, height: rows, channels: channels)
    let source = try Picture.slice(
      channels, width: columns, height: rows, window: SliceWindow(of: [row]), reduction: reduction)
    let regions = self.regions(of: map)
    let (across, down) =
      view.isTransposed ? (map.size.height, map.size.width) : (map.size.width, map.size.height)
    let outline = LabelOutline(
      view.applied(to: regions, width: map.size.width, height: map.size.height), width: across, height: down)
    let scale = (x: Double(columns) / Double(across), y: Double(rows) / Double(down) * pixelAspect)
    let lines = model.description.labels.names.indices.map { index -> Markup in
      """
      <g class="k\(index % 7 + 1)"><path class="o" d="\(outline.path(of: UInt8(index + 1)))" \
      transform="scale(\(shortest(scale.x)) \(shortest(scale.y)))"/></g>
      """
    }
    let tall = position(Double(rows) * pixelAspect)
    return """
      <div class="maps"><figure class="panel map whole"><svg viewBox="0 0 \(columns) \(tall)" role="img" \
      aria-label="\(name): what the network sees, the regions of the mask outlined"><image width="\(columns)" \
      height="\(tall)" preserveAspectRatio="none" href="\(source)"/><g class="outlines">\(lines)</g></svg>\
      <figcaption>the network's input, and the regions of the mask outlined</figcaption></figure></div>

      """
  }

  /// The argmax class of each pixel of the mask.
  private func regions(of map: DualMap) -> [UInt8] {
    let plane = map.size.height * map.size.width
    let classes = map.mask.count / plane
    return (0..<plane).map { pixel in
      UInt8((0..<classes).max { map.mask[$0 * plane + pixel] < map.mask[$1 * plane + pixel] }!)
    }
  }

  private func regionTable(_ maps: [DualMap]) -> ReportTable {
    let names = ["background"] + model.description.labels.names
    let rows = maps.map { map -> [String] in
      let regions = self.regions(of: map)
      let plane = regions.count
      func mean(_ values: [Float], _ region: Int) -> String {
        let pixels = regions.indices.filter { regions[$0] == region }
        guard !pixels.isEmpty else { return "–" }
        let sum = (0..<map.channels).reduce(0.0) { sum, channel in
          pixels.reduce(sum) { $0 + Double(values[channel * plane + $1]) }
        }
        return fixed(sum / Double(pixels.count * map.channels), decimals: 3)
      }
      return [map.title] + names.indices.flatMap { [mean(map.gamma, $0), mean(map.beta, $0)] }
    }
    return ReportTable(nameCount: 1, header: ["layer"] + names.flatMap { ["γ \($0)", "β \($0)"] }, rows: rows)
  }

  private func layer(_ map: DualMap, _ name: String) throws -> Markup {
    let pictures = try [("γ", map.gamma), ("β", map.beta)].flatMap { symbol, values -> [Markup] in
      let plane = map.size.height * map.size.width
      let channel = mostVaried(values, channels: map.channels)
      return [
        try picture("\(symbol), mean of \(map.channels) channels", mean(values, channels: map.channels), map, name),
        try picture(
          "\(symbol), channel \(channel + 1), the most varied", Array(values[channel * plane..<(channel + 1) * plane]),
          map,
          name),
      ]
    }
    return "<h3>\(map.title)</h3>\n<div class=\"maps\">\(pictures)</div>\n"
  }

  /// Draws a map enlarged without smoothing; samples pixels if a side exceeds 256.
  private func picture(_ title: String, _ values: [Float], _ map: DualMap, _ name: String) throws -> Markup {
    let turned = view.applied(to: values, width: map.size.width, height: map.size.height)
    let (columns, rows) =
      view.isTransposed ? (map.size.height, map.size.width) : (map.size.width, map.size.height)
    let every = max(1, (max(columns, rows) + 255) / 256)
    let kept = stride(from: 0, to: rows, by: every).flatMap { row in
      stride(from: 0, to: columns, by: every).map { turned[row * columns + $0] }
    }
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    // Subtract the median: a shift common to all regions is not the layer's purpose.
    let sorted = values.sorted()
    let median = sorted[sorted.count / 2]
    let distances = values.map { abs($0 - median) }.sorted()
    let limit = distances[Int(0.98 * Double(distances.count - 1))]
    let (width, height) = ((columns + every - 1) / every, (rows + every - 1) / every)
    let source = try Picture.diverging(kept.map { $0 - median }, width: width, height: height, limit: limit)
    func text(_ value: Float) -> String { String(format: "%.2g", value) }
    let tall = position(Double(height) * pixelAspect)
    return """
      <figure class="map"><svg viewBox="0 0 \(width) \(tall)" role="img" \
      aria-label="\(title) of \(map.title) for \(name): from \(text(low)) to \(text(high))">\
      <image class="pixels" href="\(source)" width="\(width)" height="\(tall)" preserveAspectRatio="none"/></svg>\
      <div class="bar"></div><div class="scale"><span>\(text(median - limit))</span><span>\(text(median))</span>\
      <span>\(text(median + limit))</span></div>\
      <figcaption>\(title): \(text(low)) to \(text(high))</figcaption></figure>

      """
  }

  private func mean(_ values: [Float], channels: Int) -> [Float] {
    let plane = values.count / channels
    return (0..<plane).map { pixel in
      (0..<channels).reduce(0) { $0 + values[$1 * plane + pixel] } / Float(channels)
    }
  }

  /// The channel with the largest variance over the pixels.
  private func mostVaried(_ values: [Float], channels: Int) -> Int {
    let plane = values.count / channels
    let variances = (0..<channels).map { channel -> Double in
      let pixels = values[channel * plane..<(channel + 1) * plane].map(Double.init)
      return Statistic(pixels).standardDeviation ?? 0
    }
    return variances.indices.max { (variances[$0], -$0) < (variances[$1], -$1) }!
  }
}

extension DualMap {
  /// `down1, second layer (32×32)`.
  fileprivate var title: String {
    "\(block.name.rawValue), \(index == 0 ? "first" : "second") layer (\(size.height)×\(size.width))"
  }
}
