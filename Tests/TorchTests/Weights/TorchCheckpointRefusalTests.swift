import Foundation
import Testing
import Torch

/// The refusal of each hostile checkpoint from the fixtures' script.
@Suite struct TorchCheckpointRefusalTests {
  private static func refersTo(_ name: String) -> String {
    "refers to \(name), which a checkpoint of weights has no need of; nothing of it was executed, save the weights "
      + "alone: torch.save(model.state_dict(), 'weights.pth')"
  }

  private static func wrong(_ byte: Int, _ why: String) -> String {
    "its data.pkl is wrong at byte \(byte) (\(why)); the file is damaged"
  }

  private static func misfit(_ shape: String, _ strides: String, _ offset: Int, count: Int = 4) -> String {
    "the tensor 'a' of shape \(shape), strides \(strides) and offset \(offset) does not fit into its storage of "
      + "\(count) numbers; the file is damaged"
  }

  private static func record(_ name: String, _ found: String, _ count: Int) -> String {
    "the record 'data/\(name)' of the tensor 'a' \(found), where \(count) numbers of type F32 were expected; "
      + "the file is damaged"
  }

  private static let stateDict =
    "save a state_dict, or a dictionary that holds one under state_dict, model_state_dict, model, net, network, network_weights"

  static let sentences = [
    "hostile_os_system": refersTo("os.system"),
    "hostile_builtins_eval": refersTo("__builtin__.eval"),
    "hostile_getattr": refersTo("builtins.getattr"),
    "hostile_load": refersTo("torch.load"),
    "hostile_complex": refersTo("torch.ComplexFloatStorage"),
    "hostile_newline": refersTo("posix\\r\\u{1B}[2J.system"),
    "hostile_stack_global": refersTo("os.system"),
    "hostile_module": refersTo("torch.nn.modules.activation.ReLU"),
    "hostile_instance": wrong(12, "the instruction 0x69 is none that PyTorch writes"),
    "hostile_recursion": "holds a dictionary under 'model', where a tensor was expected; " + stateDict,
    "hostile_nesting": wrong(102, "more than 100 groups are open"),
    "hostile_tuples": "holds a tuple, where a dictionary of tensors was expected; save a state_dict",
    "hostile_memo": "holds a tuple, where a dictionary of tensors was expected; save a state_dict",
    "hostile_stride_bomb": "its tensors take more than 8 times the file's 646 bytes because views repeat numbers; "
      + "save clones of the tensors",
    "hostile_overflow": misfit("[1099511627776, 1099511627776]", "[0, 0]", 0),
    "hostile_reach_overflow": misfit("[3]", "[4611686018427387904]", 1 << 62),
    "hostile_outside": misfit("[4]", "[1]", 1),
    "hostile_negative_size": misfit("[-2, -2]", "[1, 1]", 0),
    "hostile_negative_stride": misfit("[4]", "[-1]", 3),
    "hostile_negative_offset": misfit("[2]", "[1]", -1),
    "hostile_ranks": misfit("[2, 2]", "[1]", 0),
    "hostile_storage_size": record("0", "has 16 bytes", 5),
    "hostile_storage_count": record("0", "has 16 bytes", 1 << 62),
    "hostile_storage_name": record("../../etc/passwd", "is not there", 4),
    "hostile_huge_size": wrong(
      166, "the arguments of a tensor are not a storage, an offset, a shape and strides"),
    "hostile_conjugate": "a tensor has the extra state 'neg', which is not read; "
      + "save plain tensors, as clone() makes them",
    "hostile_duplicate": "has the name 'a' twice; it is damaged",
    "hostile_number": "holds a number under 'b', where a tensor was expected; " + stateDict,
    "hostile_key": "has a number as a key, where a name was expected; save a state_dict",
    "hostile_inner": "holds a number under 'depth', where a tensor was expected; " + stateDict,
    "hostile_list": "holds a list or set, where a dictionary of tensors was expected; save a state_dict",
    "compressed": "its record 'hostile/data.pkl' is compressed, which torch.save never does; give the file that "
      + "torch.save wrote, or pack it again without compression",
    "big_endian": "has the byte order 'big', where 'little' was expected; save it on a little-endian machine",
    "script": "is a TorchScript archive, which holds code; save the weights alone: "
      + "torch.save(model.state_dict(), 'weights.pth')",
    "legacy": "was written by torch.save before PyTorch 1.6 or without its zip format; load and save it with a "
      + "current PyTorch: torch.save(torch.load('old.pth', weights_only=True), 'new.pth')",
  ]

  @Test(arguments: sentences.keys.sorted())
  func refuses(name: String) throws {
    let found = try refusal(fixture("\(name).pth"), TorchCheckpoint.read)
    #expect(found == "FILE: \(Self.sentences[name]!).")
  }

  @Test func everyHostileFixtureHasItsSentence() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture("").path)
      .filter { $0.hasPrefix("hostile_") }.map { String($0.dropLast(4)) }
    #expect(names.count > 25)
    #expect(Set(names).isSubset(of: Self.sentences.keys))
  }

  @Test func filesOfOtherKinds() throws {
    #expect(
      try refusal(fixture("document.zip"), TorchCheckpoint.read)
        == "FILE: holds no data.pkl, so torch.save did not write it; give a file of weights.")
    #expect(
      try refusal(fixture("all_types.safetensors"), TorchCheckpoint.read)
        == "FILE: is no zip file, as torch.save writes them; give a file of weights.")
    #expect(
      try refusal(fixture("absent.pth"), TorchCheckpoint.read) == "FILE: there is no such file; check the path.")
  }
}
