import Basics
package import Datasets
import MedicalImaging
import Scores
package import Torch

extension TrainingConfiguration {
  /// The model that a split trains. Its labels, preparation and network depend on training and validation cases only.
  ///
  /// - Throws: `Refusal` for options that do not fit these cases, or held-out cases with labels that these lack.
  package func description(of split: Split, data: CheckedData) throws -> ModelDescription {
    let known = data.facts(of: split.training + split.validation)
    let labels = try labels(of: known, data)
    try requireLabels(labels, inTestOf: split, known, data)
    let (plan, levels) = try plan(for: known, isCT: data.dataset.isCT)
    let training = data.facts(of: split.training)
    let sites = Set(training.map(\.scan.site)).sorted()
    return try ModelDescription(
      network: network(
        labels: labels, plan: plan, levels: levels, modalities: data.dataset.modalities.count, sites: sites.count),
      preparation: plan, labels: labels, modalities: data.dataset.modalities, sites: sites,
      precision: settledPrecision(),
      largestComponents: recipe == .published ? .published : .undecided(classes: labels.groups.count),
      training: TrainingProfile(of: training.map { SeenVolume($0, plan) }, window: plan.window),
      mirrorAxes: mirrorAxes(classes: labels.classCount))
  }

  /// The option `precision`, or the device's default.
  package func settledPrecision() throws -> Precision { try precision ?? .standard(on: device.resolved()) }

  /// The classes of the training and validation cases. These need not have all values that the options merge or
  /// exclude, if any case has.
  private func labels(of known: [CaseFacts], _ data: CheckedData) throws -> LabelScheme {
    func values(_ facts: [CaseFacts]) -> Set<LabelValue> { Set(facts.flatMap(\.labels.keys)) }
    let names = data.dataset.labelNames
    // Refuses values that no case has.
    _ = try LabelScheme(values: values(data.facts), labelNames: names, merge: mergeLabels, exclude: excludeLabels)
    let found = values(known)
    let merge = mergeLabels.filter { !names.isEmpty || !found.isDisjoint(with: $0) }
    return try LabelScheme(
      values: found.union(merge.joined()).union(excludeLabels), labelNames: names, merge: merge, exclude: excludeLabels)
  }

  /// Refuses held-out labels that the network will not learn, before training starts.
  private func requireLabels(
    _ labels: LabelScheme, inTestOf split: Split, _ known: [CaseFacts], _ data: CheckedData
  ) throws {
    let classes = labels.classOfValue
    let found = Set(known.flatMap(\.labels.keys))
    // Label names make classes that the training cases may lack.
    let learnt = Set(found.compactMap { classes[Int($0)] })
    let tested = Dictionary(grouping: data.facts(of: split.test), by: \.scan.site)
    for (site, facts) in tested.sorted(by: { $0.key < $1.key }) {
      let strange = Set(facts.flatMap(\.labels.keys)).filter { value in
        classes[Int(value)].map { $0 != 0 && !learnt.contains($0) } ?? true
      }
      guard strange.isEmpty else {
        let trained = found.subtracting([0] + excludeLabels)
        throw Refusal(
          .input, site,
          "its held-out masks hold label \(LabelScheme.sentence(strange)), which no mask to train on holds (those hold "
            + "\(LabelScheme.sentence(trained))), so it could not be learnt",
          remedy: "merge labels with \(Setting.mergeLabels), correct the masks, or leave these cases out")
      }
    }
  }
}
