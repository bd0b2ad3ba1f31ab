import MedicalImaging
import Scores

extension SegmentationModel {
  /// Segments a case with members that prepare it differently.
  ///
  /// The mean of their probabilities is taken on the file's grid, at 8 bytes per voxel, class and pass.
  func segmentByGroups(
    _ item: PreparedCase, _ passes: Set<Pass>, site: String?, largestComponent: LargestComponentChoice,
    keepsProbabilities: Bool, keepsUncertainty: Bool, _ progress: ((_ done: Int, _ total: Int) -> Bool)? = nil
  ) throws -> [Segmentation] {
    var sums: [Pass: [Image]] = [:]
    /// Σ of the groups' entropies less what their members disagree in.
    var entropies: [Pass: [Float]] = [:]
    for (place, group) in groups.enumerated() {
      let own = place == 0 ? item : try group.description.prepared(item.source)
      let grid = own.volume.grid
      let ofAll = progress.map { [groups] progress in
        { (done: Int, total: Int) in progress(place * total + done, groups.count * total) }
      }
      var found = try results(
        of: own.volume, group, passes, site: site, statistics: nil, keepsProbabilities: true,
        keepsUncertainty: keepsUncertainty, ofAll)
      try requireMembers()
      let share = Float(group.members.count) / Float(members.sources.count)
      for pass in passes {
        let result = found.removeValue(forKey: pass)!
        if sums[pass] == nil { sums[pass] = [] }
        for (index, map) in grid.turnedBack(probabilities: result.probabilities).enumerated() {
          if place == 0 { sums[pass]!.append(Image(voxels: map.voxels.map { _ in 0 }, geometry: map.geometry)) }
          for voxel in map.voxels.indices { sums[pass]![index].voxels[voxel] += share * map.voxels[voxel] }
        }
        guard let uncertainty = result.uncertainty else { continue }
        let within = uncertainty.disagreement
        let entropy = within.isEmpty ? uncertainty.entropy : zip(uncertainty.entropy, within).map { $0 - $1 }
        let turned = grid.turnedBack(Image(voxels: entropy, geometry: grid.geometry), outside: 0).voxels
        let before = entropies[pass] ?? Array(repeating: 0, count: turned.count)
        entropies[pass] = zip(before, turned).map { $0 + share * $1 }
      }
    }
    let reduced = description.largestComponentClasses(largestComponent)
    return Pass.allCases.filter(passes.contains).map { pass in
      let mean = sums.removeValue(forKey: pass)!
      let (maps, geometry) = (mean.map(\.voxels), mean[0].geometry)
      let found = mostProbableClasses(maps)
      var uncertainty: Uncertainty?
      if let members = entropies[pass] {
        var sums = UncertaintySums(classes: maps.count)
        sums.add(maps, found, disagreement: [])
        let disagreement = zip(sums.entropy, members).map { max($0 - $1, 0) }
        uncertainty = Uncertainty(
          entropy: Image(voxels: sums.entropy, geometry: geometry),
          disagreement: Image(voxels: disagreement, geometry: geometry), ofCase: sums.ofCase)
      }
      let classes = ClassMap(voxels: found, geometry: geometry).keepingLargestComponents(of: reduced)
      return Segmentation(
        pass: pass, labels: description.labels.fileValues(of: classes), probabilities: keepsProbabilities ? mean : [],
        uncertainty: uncertainty)
    }
  }
}

/// Members of an ensemble with one preparation.
struct Group {
  /// The description of the first.
  let description: ModelDescription
  /// Places among the members.
  let members: [Int]
}
