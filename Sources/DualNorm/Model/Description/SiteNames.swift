import Basics

extension ModelDescription {
  /// The branch of domain-specific batch norm for a site; nil where the network has none for it.
  package func branch(ofSite name: String?) -> Int? {
    network.norm == .dsbn ? name.flatMap(sites.firstIndex) : nil
  }

  /// Checks what the user named as the site.
  ///
  /// - Throws: `InputError` for a site that was not trained on, or a network that is the same for every site.
  package func requireSite(_ name: String, option: String) throws {
    guard network.norm == .dsbn else {
      throw InputError(
        "\(option) chooses a branch of domain-specific batch norm, and the model's norm is \(network.norm.rawValue); "
          + "leave \(option) out.")
    }
    guard !sites.contains(name) else { return }
    throw InputError(
      "\(option) is \"\(quoted(name))\", which the model was not trained on; the nearest one is "
        + "\"\(nearest(to: name, among: sites))\" of \(listed(sites, atMost: 20)); without \(option) an unknown site gets "
        + "the mean of all.")
  }
}
