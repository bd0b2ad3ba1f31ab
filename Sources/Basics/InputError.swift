/// An unusable input from the user.
///
/// `description` is one sentence: the file or option, what was found, what was expected and what to do.
public struct InputError: Error, CustomStringConvertible, Equatable {
  public let description: String

  package init(_ description: String) { self.description = printable(description) }
}
