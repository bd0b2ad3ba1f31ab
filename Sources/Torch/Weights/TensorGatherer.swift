import Foundation

/// Turns views of an archive's records into contiguous tensors. Records are read once, when first needed.
struct TensorGatherer {
  /// The most bytes of tensors per byte of the file. Views that repeat numbers can need any amount.
  private static let maximumGrowth = 8

  let archive: ZipArchive
  /// The records' folder, with its slash.
  let folder: String
  private var records: [String: Data] = [:]

  init(archive: ZipArchive, folder: String) {
    self.archive = archive
    self.folder = folder
  }

  mutating func gather(
    _ entries: [(name: String, tensor: StridedTensor)]
  ) throws -> [(name: String, tensor: StoredTensor)] {
    try checkTotal(entries)
    return try entries.map { name, tensor in
      (name, tensor.gathered(from: try record(of: tensor.storage, for: name)))
    }
  }

  private func checkTotal(_ entries: [(name: String, tensor: StridedTensor)]) throws {
    let (limit, _) = archive.file.size.multipliedReportingOverflow(by: Self.maximumGrowth)
    var left = limit
    for (name, tensor) in entries {
      guard let bytes = tensor.byteCount else {
        throw archive.file.refusal(
          "the tensor '\(name.printable)' of shape \(tensor.shape.printable), strides \(tensor.strides.printable) and "
            + "offset \(tensor.offset) does not fit into its storage of \(tensor.storage.count) numbers",
          detail: "the file is damaged")
      }
      guard bytes <= left else {
        throw archive.file.refusal(
          "its tensors take more than \(Self.maximumGrowth) times the file's \(archive.file.size) bytes because views "
            + "repeat numbers", remedy: "save clones of the tensors")
      }
      left -= bytes
    }
  }

  private mutating func record(of storage: TorchStorage, for name: String) throws -> Data {
    let record = folder + storage.key
    let (bytes, overflow) = storage.count.multipliedReportingOverflow(by: storage.dtype.byteCount)
    let found = archive.size(of: record)
    guard !overflow, found == bytes else {
      let size = found.map { "has \($0) bytes" } ?? "is not there"
      throw archive.file.refusal(
        "the record 'data/\(storage.key.printable)' of the tensor '\(name.printable)' \(size), where \(storage.count) "
          + "numbers of type \(storage.dtype.rawValue) were expected", detail: "the file is damaged")
    }
    if let data = records[record] { return data }
    let data = try archive.contents(of: record)!
    records[record] = data
    return data
  }
}
