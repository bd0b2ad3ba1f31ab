import MedicalImaging
import Scores

extension SegmentationModel {
  /// Segments a case with members that prepare it differently. Each group's probabilities come back to the file's grid,
  /// at 4 bytes per voxel, class and pass, and their mean decides.
  func segmentByGroups(
    _ item: PreparedCase, _ passes: Set<Pass>, site: String?, largestComponent: LargestComponentChoice,
    keepsProbabilities: Bool, keepsUncertainty: Bool
  ) throws -> [Segmentation] {
    var sums: [Pass: [Image]] = [:]
    var entropies: [Pass: [Float]] = [:]
    for group in groups {
      let own = try group.description.prepared(item.source)
      let grid = own.volume.grid
      let found = results(
        of: own.volume, group, passes, site: site, statistics: nil, keepsProbabilities: true,
        keepsUncertainty: keepsUncertainty)
      try requireMembers()
      let share = Float(group.members.count) / Float(members.sources.count)
      for (pass, result) in found {
        let maps = result.probabilities.map { grid.turnedBack(Image(voxels: $0, geometry: grid.geometry)) }
        sums[pass] = maps.enumerated().map { index, map in
          var sum = map
          let before = sums[pass]?[index].voxels
          for voxel in sum.voxels.indices { sum.voxels[voxel] = share * map.voxels[voxel] + (before?[voxel] ?? 0) }
          return sum
        }
        guard let uncertainty = result.uncertainty else { continue }
        let members = uncertainty.memberEntropy.isEmpty ? uncertainty.entropy : uncertainty.memberEntropy
        let entropy = grid.turnedBack(Image(voxels: members, geometry: grid.geometry)).voxels
        let before = entropies[pass] ?? Array(repeating: 0, count: entropy.count)
        entropies[pass] = zip(before, entropy).map { $0 + share * $1 }
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
        sums.add(maps, found, members: members)
        uncertainty = sums.uncertainty { Image(voxels: $0, geometry: geometry) }
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
