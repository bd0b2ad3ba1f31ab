/// A body of `multipart/form-data` that is not read, in one sentence for the sender.
package enum MultipartFault: Error, Equatable, CustomStringConvertible {
  // The Content-Type of the request.
  case otherType
  case badBoundary

  // The body's lines.
  case noBoundary
  case cutShort
  case lineEnd
  case boundaryGoesOn
  case tooMuchOutside(bytes: Int)

  // A part.
  case headerTooLong(bytes: Int)
  case badHeader
  case noDisposition
  case noName
  case badText
  case coded
  case nested
  case tooManyParts(Int)
  case fieldTooLong(bytes: Int)

  package var description: String {
    switch self {
    case .otherType: "The request's Content-Type is not multipart/form-data; send a form."
    case .badBoundary: "The request's Content-Type has no boundary of 1 to 70 characters; name the form's own."
    case .noBoundary: "The form does not begin with the boundary in its Content-Type; name the form's own."
    case .cutShort: "The form ends before its last boundary; send it again."
    case .lineEnd: "A line of the form does not end with CR and LF; end each line with both."
    case .boundaryGoesOn: "A boundary of the form goes on with other characters; choose one that no part contains."
    case .tooMuchOutside(let bytes): "The form has more than \(bytes) bytes outside its parts; leave them out."
    case .headerTooLong(let bytes): "A part's header is longer than \(bytes) bytes; shorten it."
    case .badHeader: "A part's header has a line that is not a field; correct the form."
    case .noDisposition: "A part has no Content-Disposition of form-data; give it one."
    case .noName: "A part has no name; name it in its Content-Disposition."
    case .badText: "A part's name or file name is not UTF-8; send it as UTF-8."
    case .coded: "A part has a Content-Transfer-Encoding; send its bytes as they are."
    case .nested: "A part is a multipart of its own; send each file as a part of the form."
    case .tooManyParts(let count): "The form has more than \(count) parts; send fewer at once."
    case .fieldTooLong(let bytes): "A field of the form is longer than \(bytes) bytes; send it as a file."
    }
  }
}
