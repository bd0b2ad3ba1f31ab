/// A limit on DCMTK's cost of reading a file, since its time and memory grow with the file without bounds.
struct DICOMBudget {
  /// The most elements, items and fragments.
  ///
  /// DCMTK takes a microsecond and 220 bytes for each. Files of many frames have 100,000.
  static let most = 500_000
  /// The most steps along DCMTK's lists, of 8 to 10 nanoseconds each. Real files take some thousands.
  static let mostSteps = 5_000_000

  private var count = 0
  private var disorder = 0
  private var searches = 0

  /// Counts an item or fragment.
  mutating func note() throws(DICOMFault) {
    count += 1
    guard count <= DICOMBudget.most else {
      throw DICOMFault(
        "it holds more than \(DICOMBudget.most) elements, items and fragments, where a slice has some hundreds",
        advice: "convert it to NIfTI, for example by dcm2niix")
    }
  }

  mutating func note(_ tag: UInt32, in list: inout DICOMList) throws(DICOMFault) {
    try note()
    let isPrivate = tag >> 16 & 1 == 1
    if isPrivate, tag & 0xffff >= 0x1000 { searches += list.creators }
    if isPrivate, (0x10...0xff).contains(tag & 0xffff) { list.creators += 1 }
    disorder += list.insert(tag)
    guard disorder <= DICOMBudget.mostSteps else {
      throw DICOMFault(
        "its elements are out of order, such as \(DICOMFault.name(tag)), where DICOM demands that tags ascend")
    }
    guard searches <= DICOMBudget.mostSteps else {
      throw DICOMFault(
        "it names \(list.creators) private creators up to \(DICOMFault.name(tag)), where devices name some dozens")
    }
  }
}

/// The elements of a data set or item as DCMTK keeps them, in two lists.
///
/// One list holds the elements in ascending order; DCMTK seeks each one's place from the end. The other holds private
/// creators; DCMTK searches it from the beginning for each private element.
struct DICOMList {
  fileprivate var creators = 0
  private var tags: [UInt32] = []

  /// Inserts a tag and returns the number of elements that DCMTK steps over. DCMTK keeps the first of equal tags.
  fileprivate mutating func insert(_ tag: UInt32) -> Int {
    guard let last = tags.last, last >= tag else {
      tags.append(tag)
      return 0
    }
    var (low, high) = (0, tags.count)
    while low < high {
      let middle = (low + high) / 2
      if tags[middle] < tag { low = middle + 1 } else { high = middle }
    }
    let steps = tags.count - low
    if tags[low] != tag { tags.insert(tag, at: low) }
    return steps
  }
}
