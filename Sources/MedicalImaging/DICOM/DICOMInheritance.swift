import Basics
import CDICOM
import Foundation

extension DICOMFile {
  /// Validates the elements that a segmentation inherits from this file: patient, study and frame of reference.
  ///
  /// Invalid optional elements are left out with a warning, as in highdicom.
  /// - Throws: `Refusal` naming a required element that is missing or not valid.
  func requireInheritable() throws {
    var leftOut: [String] = []
    for fault in inheritanceFaults {
      if fault.isKept {
        Warnings.report(
          "\(url.path): its \(fault.element) is not valid by leading zeros in its parts; the segmentation has it as it "
            + "is.")
      } else if fault.isRequired {
        throw unsegmentable(url, fault.isMissing ? "\(fault.element) is missing" : "\(fault.element) is not valid")
      } else {
        leftOut.append(fault.element)
      }
    }
    guard !leftOut.isEmpty else { return }
    Warnings.report(
      "\(url.path): its \(leftOut.joined(separator: ", ")) \(leftOut.count == 1 ? "is" : "are") not valid, so the "
        + "segmentation leaves \(leftOut.count == 1 ? "it" : "them") out; correct the header to keep "
        + "\(leftOut.count == 1 ? "it" : "them").")
  }

  private var inheritanceFaults: [InheritanceFault] {
    var faults: [InheritanceFault] = []
    var fault = CDICOMFault()
    while cdicom_next_fault(handle, fault.tag, &fault) { faults.append(InheritanceFault(fault)) }
    return faults
  }
}

extension DICOMSlice {
  /// - Throws: `Refusal` if a segmentation cannot refer to this file.
  func requireIdentity() throws {
    for (name, uid) in [("SOP Class UID (0008,0016)", sopClass), ("SOP Instance UID (0008,0018)", sopInstance)] {
      guard !cdicom_is_uid(uid) else { continue }
      throw unsegmentable(url, uid.isEmpty ? "\(name) is missing" : "\(name) \"\(inOneLine(uid))\" is not valid")
    }
  }
}

/// An element that is missing or not valid.
private struct InheritanceFault {
  /// Its name, tag and value.
  let element: String
  let isRequired, isMissing, isKept: Bool

  init(_ fault: CDICOMFault) {
    let (keyword, value) = (text(of: fault.keyword), text(of: fault.value))
    let tag = String(format: "(%04X,%04X)", fault.tag >> 16, fault.tag & 0xffff)
    element = "\(words(of: keyword)) \(tag)" + (value.isEmpty ? "" : " \"\(inOneLine(value))\"")
    (isRequired, isMissing, isKept) = (fault.is_required, fault.is_missing, fault.is_kept)
  }
}

private func unsegmentable(_ url: URL, _ fault: String) -> Refusal {
  Refusal(
    .image, url.path, "its \(fault), and a DICOM segmentation cannot be without",
    remedy: "correct the header, or name the output .nii.gz to write NIfTI")
}

/// The text of a C array of characters.
private func text<Characters>(of characters: Characters) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// Splits a keyword such as `StudyInstanceUID` into words.
private func words(of keyword: String) -> String {
  let letters = Array(keyword)
  return letters.indices.map { index in
    let isStart =
      index > 0 && letters[index].isUppercase
      && (letters[index - 1].isLowercase || index + 1 < letters.count && letters[index + 1].isLowercase)
    return (isStart ? " " : "") + String(letters[index])
  }.joined().replacingOccurrences(of: " Of ", with: " of ")
}
