import Basics
import Datasets
import DualNorm
import Foundation
import MedicalImaging

extension PredictionJob {
  /// Warns of files whose names, such as `Case_0001`, are of another channel than they are given as.
  ///
  /// Files of one case in a falling order are doubtful for every model. A number alone, as frames have, is so only for
  /// models of nnU-Net, whose files are all named by their channel.
  static func warnOfSuffixes(_ jobs: [PredictionJob], _ description: ModelDescription) {
    let modalities = description.modalities
    for job in jobs where job.scan.sources.count == modalities.count {
      let urls = job.scan.sources.map(\.url)
      let parts = urls.compactMap { channelOfImage(volumeStem($0) ?? $0.lastPathComponent) }
      guard parts.count == urls.count, Set(parts.map(\.name)).count == 1 else { continue }
      let channels = parts.map(\.channel)
      let expected = description.preparation.nnUNet == nil ? channels.sorted() : Array(channels.indices)
      guard let place = channels.indices.first(where: { channels[$0] != expected[$0] }) else { continue }
      let suffix = String(format: "_%04d", channels[place])
      Warnings.report(
        urls[place],
        modalities.count == 1
          ? "is named as another channel (\(suffix)), and the model takes only _0000 (\(modalities[0])); give the file of "
            + "that channel, or rename this one."
          : "is named as another channel (\(suffix)) than modality \(place + 1) of \(modalities.count), \(modalities[place]); "
            + "give the files in the order \(listed(modalities, atMost: 9)), or rename them.",
        kind: "named as another channel")
    }
  }
}
