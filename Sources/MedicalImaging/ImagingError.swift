import Basics

/// A volume that cannot be read or written; `description` is one sentence for the user.
public struct ImagingError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) { self.description = printable(description) }
}
