import Foundation
import Testing

@testable import Scores

/// Texts of tables and files on another tool's convention.
@Suite struct ConventionTableTests {
  @Test func captionColumnsAndNotesNameTheTool() throws {
    let text = try LikeFixture.load().table(.monai).text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "Scores as in MONAI 1.6.1 (--like monai).")
    #expect(
      lines[2].split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        == "site class n found missed false empty monai Dice monai Dice (empty 1) monai ASSD mm monai HD95 mm monai NSD 1 mm monai NSD 2 mm"
    )
    #expect(lines[3].contains("  inf  "))
    #expect(
      lines.suffix(8) == [
        "Mean ± standard deviation over cases.",
        "Of a class: MONAI's reduction mean_batch; mean of the classes: its default reduction, mean, over classes within a case, then over cases. A mean of no values is 0.",
        "3 missed: Dice and NSD are 0; HD95 is NaN and in no mean; ASSD, ASD and Hausdorff are infinite, and so are their means.",
        "1 falsely found: Dice is NaN and in no mean, or 0 with ignore_empty=False; NSD is 0; HD95 is NaN and in no mean; ASSD, ASD and Hausdorff are infinite, and so are their means.",
        "1 empty in both prediction and reference: all are NaN and in no mean, but Dice with ignore_empty=False is 1.",
        "Missed: S/miss label 2, S/nothing predicted label 1 and S/nothing predicted label 2.",
        "False alarms: S/false alarm label 2.", "",
      ])
  }

  @Test func csvNamesTheToolInAColumn() throws {
    let fixture = try LikeFixture.load()
    let lines = fixture.table(.transunet).csv.split(separator: "\n").map(String.init)
    #expect(
      lines[0]
        == "site,case,pass,class,label,class_name,outcome,convention,transunet_dice,transunet_hd95_voxels")
    #expect(
      lines.contains(
        "S,false alarm,prediction,2,2,label 2,falseAlarm,TransUNet's calculate_metric_percase,1,0"))
    #expect(fixture.table(.monai).csv.contains(",miss,MONAI 1.6.1,0,0,inf,inf,,inf,0,0\n"))
  }

  @Test(arguments: ConventionTests.others) func readsWhatItWrites(_ convention: Convention) throws {
    let table = try LikeFixture.load().table(convention)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let json = try table.json()
    #expect(try decoder.decode(ScoreTable.self, from: json) == table)
    let text = String(decoding: json, as: UTF8.self)
    #expect(text.contains("\"convention\" : \"\(convention.rawValue)\""))
    #expect(text.contains("\"tool\" : \"\(convention.tool)\""))
  }
}
