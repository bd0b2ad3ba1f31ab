package import Basics

extension ModelDescription {
  /// The index of a site's branch in domain-specific batch norm; nil if there is none.
  package func branch(ofSite name: String?) -> Int? {
    network.norm == .dsbn ? name.flatMap(sites.firstIndex) : nil
  }

  /// Checks the site that the user named.
  ///
  /// - Throws: `Refusal` for a site that was not trained on, or a network without branches for sites.
  package func requireSite(_ name: String, option: Setting) throws {
    guard networks.contains(where: { $0.norm == .dsbn }) else {
      throw Refusal(
        .input,
        "\(option) chooses a branch of domain-specific batch norm, and the model's norm is \(network.norm.rawValue)",
        remedy: "leave \(option) out")
    }
    guard !sites.contains(name) else { return }
    throw Refusal(
      .input,
      "\(option) is \"\(quoted(name))\", which the model was not trained on; the nearest one is "
        + "\"\(nearest(to: name, among: sites))\" of \(listed(sites, atMost: 20))",
      remedy: "without \(option) an unknown site gets the mean of all")
  }
}
