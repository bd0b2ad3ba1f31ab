import Basics
import Foundation

extension CaseComparison {
  /// Finds intensities far from those of the site's other cases.
  ///
  /// Z-score normalization treats each volume by itself, so a different scale alone does no harm. A case is odd only
  /// if nearly all others agree.
  func intensities() -> [DataCheck.Finding] {
    let channels = facts.compactMap(\.profile).map(\.quantiles.count).max() ?? 0
    return (0..<channels).flatMap { channel in
      let known = facts.filter { fact in
        fact.profile.map { $0.quantiles.count > channel && $0.quantiles[channel].count == 101 } ?? false
      }
      return Peers.groups(known, least: 5).flatMap { peers in
        oddScales(peers, channel) + oddTails(peers, channel)
      }
    }
  }

  /// Finds contrasts (1st to 99th percentile) above ten times the median of the others, or below a tenth of it.
  ///
  /// Nine in ten must lie within a factor of √10 of their median.
  private func oddScales(_ peers: Peers, _ channel: Int) -> [DataCheck.Finding] {
    let scales = peers.reference.map { log10($0.contrast(channel)) }
    guard let middle = median(scales), scales.count(where: { abs($0 - middle) <= 0.5 }) * 10 >= 9 * scales.count else {
      return []
    }
    return peers.judged.filter { abs(log10($0.contrast(channel)) - middle) > 1 }.map { fact in
      let (low, high) = (fact.quantile(1, channel), fact.quantile(99, channel))
      return .init(
        .warning, .intensity,
        "\(fact.name(of: channel)): its intensities span \(short(high - low)) (1st percentile \(short(low)) to 99th "
          + "\(short(high))), expected about \(short(pow(10, middle))) as \(peers.phrase); look at the image and at how it "
          + "was exported.", on: [fact])
    }
  }

  /// Finds single voxels far beyond the 99th or below the 1st percentile.
  ///
  /// The limit is 20 contrasts, if the others' median is below 5.
  private func oddTails(_ peers: Peers, _ channel: Int) -> [DataCheck.Finding] {
    [true, false].flatMap { above -> [DataCheck.Finding] in
      guard let middle = median(peers.reference.map { $0.tail(above: above, channel) }), middle < 5 else { return [] }
      return peers.judged.filter { $0.tail(above: above, channel) > 20 }.map { fact in
        let place = above ? ("greatest", 100, 99, "99th") : ("least", 0, 1, "1st")
        return .init(
          .warning, .intensity,
          "\(fact.name(of: channel)): its \(place.0) voxel is \(short(fact.quantile(place.1, channel))) and its "
            + "\(place.3) percentile \(short(fact.quantile(place.2, channel))), farther apart than in \(peers.phrase); "
            + "look for an artefact or a filling value, and give train a \(Setting.window).", on: [fact])
      }
    }
  }
}

extension CaseFacts {
  fileprivate func quantile(_ percent: Int, _ channel: Int) -> Double {
    Double(profile?.quantiles[channel][percent] ?? 0)
  }

  /// The difference between the 1st and the 99th percentile; a tiny positive number if they are equal.
  fileprivate func contrast(_ channel: Int) -> Double {
    max(quantile(99, channel) - quantile(1, channel), 1e-6 * max(quantile(100, channel) - quantile(0, channel), 1e-30))
  }

  /// The distance of the extreme voxel from its nearest percentile, in contrasts.
  fileprivate func tail(above: Bool, _ channel: Int) -> Double {
    let distance =
      above ? quantile(100, channel) - quantile(99, channel) : quantile(1, channel) - quantile(0, channel)
    return distance / contrast(channel)
  }

  /// The file of a channel; of one among several in a file also its colour or number.
  fileprivate func name(of channel: Int) -> String {
    channel < scan.channelCount ? scan.channelNames[channel] : file.path
  }
}
