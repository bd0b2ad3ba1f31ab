"""Makes Tests/Fixtures/weights: files of weights by PyTorch and safetensors, and hostile ones.

python3 with torch 2.11, numpy and safetensors; run from the repository's root: python3 Tools/fixtures_weights.py
"""
import io
import json
import pathlib
import pickle
import struct
import zipfile
from collections import OrderedDict

import safetensors
import safetensors.torch
import torch

folder = pathlib.Path("Tests/Fixtures/weights")
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}


def save(name, state, **options):
    """With fixed bytes: PyTorch's serialization id depends on the contents alone."""
    buffer = io.BytesIO()
    torch.save(state, buffer, **options)
    (folder / name).write_bytes(buffer.getvalue())


def expect(name, state, metadata=None):
    """What the file of that name holds, as safetensors."""
    tensors = {key: tensor.detach().contiguous().clone() for key, tensor in state.items()}
    safetensors.torch.save_file(tensors, folder / f"{name}.safetensors", metadata)


def of_all_types():
    values = torch.tensor([[0, 1, 2], [100, 3, 127]])
    state = {f"values.{name}": values.to(dtype) for name, dtype in TYPES.items()}
    for name, dtype in TYPES.items():
        if dtype.is_floating_point:
            state[f"special.{name}"] = torch.tensor([float("nan"), float("inf"), -0.0, 1e-7, -1 / 3]).to(dtype)
    state["scalar"] = torch.tensor(1.5)
    state["empty"] = torch.empty(2, 0, 3)
    state["Größe.μ.体积.🩻"] = torch.arange(2.0)
    state['quoted "\\ \n\u0001'] = torch.arange(3.0)
    return state


def of_all_layouts():
    base = torch.arange(48.0).reshape(2, 3, 4, 2)
    shared = torch.arange(10)
    return {
        "transposed": base.permute(3, 1, 0, 2),
        "channels_last": base.contiguous(memory_format=torch.channels_last),
        "flat transposed": torch.arange(6, dtype=torch.int16).reshape(2, 3).t(),
        "every second": shared[1::2],
        "middle": shared[3:7],
        "whole": shared,
        "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "expanded scalar": torch.tensor(7, dtype=torch.uint8).expand(2, 2),
        "one wide": torch.arange(12.0).reshape(3, 4)[:, 1:2],
        "empty view": shared[5:5],
        "parameter": torch.nn.Parameter(torch.tensor([1.0, -1.0])),
        "frozen": torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64).to(torch.bfloat16), requires_grad=False),
    }


def network():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(2, 1))
    net[1].running_mean.fill_(0.25)
    return net


def by_pytorch():
    state = of_all_types()
    save("all_types.pth", state)
    save("all_types_protocol4.pth", state, pickle_protocol=4)
    expect("all_types", state, {"nöte": 'a "quote"\n'})
    state = of_all_layouts()
    save("layouts.pth", state)
    expect("layouts", state)

    net = network()
    save("network.pth", net.state_dict())
    expect("network", net.state_dict())
    save("parallel.pth", torch.nn.DataParallel(net).state_dict())
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    expect("trained", net.state_dict())
    training = {"epoch": 3, "loss": 0.5, "big": 2**70, "seen": {1, 2}, "sizes": torch.Size([1, 2]),
                "optimizer": optimizer.state_dict(), "model_state_dict": net.state_dict(), "raw": [b"x", None, (True,)]}
    save("training.pth", training, pickle_protocol=4)

    if not (folder / "legacy.pth").exists():  # it holds an address of memory, another one each time
        save("legacy.pth", {"a": torch.ones(1)}, _use_new_zipfile_serialization=False)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), script)
    (folder / "script.pth").write_bytes(script.getvalue())


def archive(name, data, records=(), compression=zipfile.ZIP_STORED):
    """A checkpoint made by hand: its pickle and records."""
    with zipfile.ZipFile(folder / name, "w", compression) as file:
        for path, contents in [("data.pkl", data), ("byteorder", b"little"), ("version", b"3\n"), *records]:
            file.writestr(zipfile.ZipInfo("hostile/" + path), contents, compression)


class Tensor:
    """Pickled as PyTorch pickles a view of storage 0."""

    def __init__(self, offset, shape, strides, dtype="FloatStorage", key="0", count=4, extra=()):
        self.view = (offset, shape, strides, False, OrderedDict(), *extra)
        self.storage = ("storage", getattr(torch, dtype), key, "cpu", count)


class Pickler(pickle._Pickler):
    """Python's own, which can write what C's would refuse."""

    def persistent_id(self, value):
        return value.identifier if isinstance(value, Storage) else None

    def reducer_override(self, value):
        if isinstance(value, Tensor):
            return torch._utils._rebuild_tensor_v2, (Storage(value.storage), *value.view)
        return NotImplemented


class Storage:
    def __init__(self, identifier):
        self.identifier = identifier


def pickled(value, protocol=2):
    buffer = io.BytesIO()
    Pickler(buffer, protocol).dump(value)
    return buffer.getvalue()


def hostile():
    record = [("data/0", struct.pack("<4f", 1, 2, 3, 4))]

    def tensor(name, *arguments, **options):
        archive(name, pickled({"a": Tensor(*arguments, **options)}), record)

    calls = {"os_system": b"cos\nsystem\n", "builtins_eval": b"c__builtin__\neval\n",
             "getattr": b"cbuiltins\ngetattr\n", "load": b"ctorch\nload\n", "complex": b"ctorch\nComplexFloatStorage\n",
             "newline": b"cposix\r\x1b[2J\nsystem\n"}
    for name, call in calls.items():
        archive(f"hostile_{name}.pth", b"\x80\x02" + call + b"X\x04\0\0\0trueq\0\x85R.")
    archive("hostile_stack_global.pth", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.")
    archive("hostile_instance.pth", b"\x80\x02(X\x04\0\0\0trueios\nsystem\n.")
    # A dictionary that holds itself; groups opened 200 deep, tuples nested 5,000 deep; lists that double 40 times through the memo.
    archive("hostile_recursion.pth", b"\x80\x02}q\0X\x05\0\0\0modelh\0s.")
    archive("hostile_nesting.pth", b"\x80\x02" + b"(" * 200 + b"t" * 200 + b".")
    archive("hostile_tuples.pth", b"\x80\x02)" + b"\x85" * 5000 + b".")
    bomb = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(40))
    archive("hostile_memo.pth", b"\x80\x02)q\0" + bomb + b".")
    tensor("hostile_stride_bomb.pth", 0, (1 << 20, 1 << 20), (0, 0))
    tensor("hostile_overflow.pth", 0, (1 << 40, 1 << 40), (0, 0))
    tensor("hostile_reach_overflow.pth", 1 << 62, (3,), (1 << 62,))
    tensor("hostile_outside.pth", 1, (4,), (1,))
    tensor("hostile_negative_size.pth", 0, (-2, -2), (1, 1))
    tensor("hostile_negative_stride.pth", 3, (4,), (-1,))
    tensor("hostile_negative_offset.pth", -1, (2,), (1,))
    tensor("hostile_ranks.pth", 0, (2, 2), (1,))
    tensor("hostile_storage_size.pth", 0, (4,), (1,), count=5)
    tensor("hostile_storage_count.pth", 0, (4,), (1,), count=1 << 62)
    tensor("hostile_storage_name.pth", 0, (4,), (1,), key="../../etc/passwd")
    tensor("hostile_huge_size.pth", 0, (1 << 70,), (1,))
    tensor("hostile_conjugate.pth", 0, (4,), (1,), extra=({"neg": True},))
    archive("hostile_duplicate.pth", b"\x80\x02}(X\x01\0\0\0a" + pickled(Tensor(0, (4,), (1,)))[2:-1]
            + b"X\x01\0\0\0a" + pickled(Tensor(0, (4,), (1,)))[2:-1] + b"u.", record)
    archive("hostile_number.pth", pickled({"a": Tensor(0, (4,), (1,)), "b": 3}), record)
    archive("hostile_key.pth", pickled({3: Tensor(0, (4,), (1,))}), record)
    archive("hostile_inner.pth", pickled({"epoch": 1, "model": {"depth": 3}}))
    archive("hostile_list.pth", pickled([Tensor(0, (4,), (1,))]), record)
    archive("hostile_module.pth", pickled(torch.nn.ReLU()))
    archive("compressed.pth", pickled({}), compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(folder / "big_endian.pth", "w") as file:
        file.writestr(zipfile.ZipInfo("a/data.pkl"), pickled({}))
        file.writestr(zipfile.ZipInfo("a/byteorder"), b"big")
    with zipfile.ZipFile(folder / "document.zip", "w") as file:
        file.writestr(zipfile.ZipInfo("word/document.xml"), b"<w/>")


def by_swift():
    """The bytes that SafetensorsTests writes: what our format says, read by the reference implementation."""
    tensors = [("z", "F32", [2, 2], struct.pack("<4f", 1, 2, 3, 4)), ("odd", "U8", [3], bytes([1, 2, 3])),
               ("nothing", "I64", [0], b""), ('Größe "\\\n', "F64", [], struct.pack("<d", -0.5))]
    header, data = {"__metadata__": {"format": "pt", "μ": "1"}}, b""
    for name, dtype, shape, contents in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(contents)]}
        data += contents
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).replace("\\n", "\\u000a").encode()
    text += b" " * (-len(text) % 8)
    path = folder / "swift.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    with safetensors.safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "μ": "1"}, file.metadata()
    read = safetensors.torch.load_file(path)
    assert read["z"].tolist() == [[1, 2], [3, 4]] and read["odd"].tolist() == [1, 2, 3]
    assert read["nothing"].shape == (0,) and read['Größe "\\\n'].item() == -0.5


by_pytorch()
hostile()
by_swift()
print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in", len(list(folder.iterdir())), "files")
