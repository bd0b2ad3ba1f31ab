// Segments a volume with a trained model and scores the result: Segment RUN IMAGE REFERENCE OUTPUT
import DualNorm
import Foundation
import MedicalImaging
import Scores

let files = CommandLine.arguments.dropFirst().map { URL(fileURLWithPath: $0) }
guard files.count == 4 else {
  print("Segment RUN IMAGE REFERENCE OUTPUT")
  exit(64)
}
do {
  let model = try SegmentationModel(contentsOf: files[0])
  let prediction = try model.segment(files[1])
  try prediction.write(to: files[3])
  let reference = try LabelMap(contentsOf: files[2])
  for score in Scorer(model.labels).scores(prediction: prediction, reference: reference) {
    print(score.className, score[.dice].map { "Dice \($0)" } ?? "\(score.outcome)")
  }
} catch {
  FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
  exit(1)
}
