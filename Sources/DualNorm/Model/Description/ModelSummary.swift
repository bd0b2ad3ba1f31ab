import Basics
import Scores

extension NetworkPlan {
  /// One line: `width 32, 3 channels in, 2 classes out, bn, dual blocks inc down1 (soft masks, reduction 2)`.
  package var summary: String {
    var text = architecture == .residualUNet ? "" : architecture.rawValue + ", "
    text += "width \(width), \(inputChannels) channels in, \(classes) classes out, norm \(norm.rawValue)"
    if norm == .dsbn { text += " of \(counted(sites, "site"))" }
    if let size { text += " for \(size.height)×\(size.width) only" }
    if deepSupervision { text += ", deep supervision" }
    return text + ", " + (dual?.summary ?? "no dual blocks")
  }
}

extension DualPlan {
  fileprivate var summary: String {
    "dual blocks \(blocks.map(\.rawValue).joined(separator: " ")) (\(maskKind.rawValue) masks, reduction "
      + "\(reduction)\(variants))"
  }

  /// The differences from the method of the paper.
  private var variants: String {
    (maskSource == .prediction ? "" : ", \(maskSource.rawValue) mask")
      + (localStatistics == .predicted ? "" : ", \(localStatistics.rawValue) local statistics")
  }
}

extension ModelDescription {
  /// One line for each part of the model.
  package var summary: String {
    let classes = labels.groups.indices.map { index in
      "\(labels.names[index]) (\(labels.groups[index].map(String.init).joined(separator: "+")))"
    }
    var lines = [
      "network:      \(network.summary)", "preparation:  \(preparationText)",
      "classes:      \(classes.joined(separator: ", "))", "modalities:   \(modalities.joined(separator: ", "))",
    ]
    if !labels.excluded.isEmpty {
      lines.insert("background:   also labels \(LabelScheme.sentence(Set(labels.excluded)))", at: 3)
    }
    lines.append("components:   the largest is \(largestComponentSummary())")
    if let mirrorAxes, !mirrorAxes.isEmpty {
      lines.append("mirrored:     along \(mirrorAxes.map(\.rawValue).sorted().joined(separator: ", ")) in training")
    }
    if let origin { lines.append("made by:      \(origin)") }
    if !sites.isEmpty { lines.append("trained on:   \(sites.joined(separator: ", "))") }
    lines += warnings.map { "warning:      \($0)" }
    return lines.joined(separator: "\n")
  }
}
