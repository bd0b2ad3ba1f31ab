import Basics
import Datasets
import DualNorm
import Foundation
import Scores
import Torch

/// The available contents of a run folder: training may be unfinished, and imported runs have none.
struct RunContents {
  let run: RunFolder
  let description: ModelDescription?
  let configuration: TrainingConfiguration?
  let history: TrainingHistory?
  let split: Split?
  let facts: [CaseFacts]?

  /// - Throws: `Refusal` for a damaged file.
  init(_ run: RunFolder) throws {
    func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
    self.run = run
    description = exists(run.description) ? try run.readDescription() : nil
    let options = exists(run.configuration) ? try TrainingConfiguration(yaml: run.configuration) : nil
    // An imported model's options are defaults that trained nothing.
    configuration = options?.data == nil ? nil : options
    history = exists(run.log) ? try TrainingHistory(contentsOf: run.log) : nil
    split = exists(run.splits) ? try Self.split(run.splits) : nil
    facts = exists(run.facts) ? try FactsFile.recorded(in: run.facts) : nil
  }

  private static func split(_ url: URL) throws -> Split {
    guard let data = try? Data(contentsOf: url), let split = try? JSONDecoder().decode(Split.self, from: data) else {
      throw Refusal(
        .input, url.path, "is not a split",
        detail: "expected a JSON object with the lists training, validation and test of site/case names")
    }
    return split
  }

  var isFinished: Bool { FileManager.default.fileExists(atPath: run.model.path) }

  /// The progress of an unfinished training; nil for a finished one.
  var unfinished: String? {
    guard !isFinished else { return nil }
    let planned = configuration.map { configuration in
      description.map { configuration.stages(of: $0.network).reduce(0) { $0 + $1.iterations } }
        ?? configuration.iterations.total
    }
    let done = history?.rows.count ?? 0
    let all = planned.map { " of \($0)" } ?? ""
    return "The training is not finished: \(done)\(all) iterations are in its log. It goes on with "
      + "\(Verb.train) \(Setting.resume) \(run.url.path)."
  }
}

extension RunContents {
  /// The model and its training.
  var overview: Markup {
    var facts: [(name: String, value: Markup)] = []
    func add(_ name: String, _ value: String?) { if let value { facts.append((name, "\(value)")) } }
    add("run folder", run.url.path)
    add("data set", configuration?.data)
    add("network", description?.network.summary)
    add("preparation", description.map(\.preparationText))
    add("classes", description.map { Self.classes($0.labels) })
    add("modalities", description?.modalities.joined(separator: ", "))
    add("sites trained on", description.flatMap { $0.sites.isEmpty ? nil : $0.sites.joined(separator: ", ") })
    add("recipe", configuration?.recipe.rawValue)
    add("iterations", configuration.map { $0.iterations.text })
    add("seed", configuration.map { "\($0.seed)" })
    add("precision", description?.precision.rawValue)
    add("trained by", configuration == nil ? nil : run.version.map { "dualnorm \($0)" })
    add("last written", lastChange(of: isFinished ? run.model : history == nil ? run.description : run.log))
    let again =
      configuration == nil
      ? paragraph("Weights from elsewhere: there is no training in this folder.")
      : "<p>The same training again:</p>\n"
        + command(
          Verb.train.words + Setting.config.words(run.configuration.path) + Setting.output.words("AGAIN"))
    return factList(facts) + again
  }

  static func classes(_ labels: LabelScheme) -> String {
    zip(labels.names, labels.groups).map { name, group in
      "\(name) (\(group.map(String.init).joined(separator: "+")))"
    }.joined(separator: ", ")
  }

  /// Every option as resolved.
  var options: Markup {
    guard let text = try? String(contentsOf: run.configuration, encoding: .utf8) else { return "" }
    return folded("All options (config.yaml)", "<pre><code>\(text)</code></pre>\n")
  }

  /// The sites, their cases on each side of the split, and the data check's facts.
  var data: Markup {
    var content: Markup = ""
    if let facts, !facts.isEmpty {
      content += SiteSummary.table(of: facts).html(caption: "What the data check found in each site")
    }
    guard let split else { return content + paragraph("No split is recorded.") }
    let sides = [("training", split.training), ("validation", split.validation), ("test", split.test)]
    func site(_ identifier: String) -> String { String(identifier.prefix { $0 != "/" }) }
    let sites = Set(sides.flatMap { $0.1.map(site) }).sorted(by: comesBefore)
    let rows = sites.map { name in
      [name] + sides.map { side in "\(side.1.count { site($0) == name })" }
    }
    let sums = sites.count > 1 ? [["all"] + sides.map { "\($0.1.count)" }] : []
    let table = ReportTable(nameCount: 1, header: ["site"] + sides.map(\.0), rows: rows + sums)
    let names = sides.filter { !$0.1.isEmpty }.map { name, cases -> Markup in
      "<h3>\(name)</h3>\n<p>\(cases.joined(separator: ", "))</p>\n"
    }
    return content + table.html(caption: "Cases on each side of the split; validation chose the best weights")
      + folded("Names of the cases", names.joined())
  }
}

extension StageIterations {
  /// `4000 and 2000 (plain and dual stage)`
  var text: String { "\(plain) and \(dual) (plain and dual stage)" }
}
