"""NRRD and MetaImage files of many header variants, with what SimpleITK reads of them: Tests/Fixtures/imaging/headers.json."""

import base64
import gzip
import json
import pathlib
import random
import tempfile
import zlib

import numpy as np
import SimpleITK

FILE = pathlib.Path(__file__).parent.parent / "Tests/Fixtures/imaging/headers.json"
TYPES = {
    "u1": (["uint8", "unsigned char", "uchar"], "MET_UCHAR"), "i1": (["int8", "signed char"], "MET_CHAR"),
    "i2": (["short", "int16"], "MET_SHORT"), "u2": (["ushort", "unsigned short"], "MET_USHORT"),
    "i4": (["int", "int32"], "MET_INT"), "u4": (["unsigned int", "uint"], "MET_UINT"),
    "f4": (["float"], "MET_FLOAT"), "f8": (["double"], "MET_DOUBLE"), "i8": (["longlong", "int64"], "MET_LONG_LONG"),
}
SPACES = ["left-posterior-superior", "LPS", "right-anterior-superior", "RAS", "scanner-xyz", "3D-right-handed"]
choose = random.Random(5)
noise = np.random.default_rng(5)


def rotation():
    w, x, y, z = (lambda q: q / np.linalg.norm(q))(noise.normal(size=4))
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])


def voxels(shape):
    code, big = choose.choice(list(TYPES)), choose.random() < 0.5
    values = noise.integers(0, 100, size=shape).astype(code)
    return code, big, values, values.astype((">" if big else "<") + code).tobytes()


def vector(values):
    return "(" + ",".join(f"{value:.15g}" for value in values) + ")"


def nrrd(name):
    code, big, values, raw = voxels((4, 5, 6))
    header = [f"type: {choose.choice(TYPES[code][0])}"]
    steps = [axis * length for axis, length in zip(rotation().T, (0.7, 0.9, 3.1))]
    directions, origin = " ".join(map(vector, steps)), "space origin: " + vector(noise.normal(size=3) * 30)
    place = choose.choice(["vectors"] * 3 + ["dimension", "spacings", "mins", "negative", "time", "component", "none"])
    header += {
        "vectors": ["dimension: 3", f"space: {choose.choice(SPACES)}", "sizes: 6 5 4", f"space directions: {directions}"]
        + choose.choice([[], ["kinds: domain domain domain"], ["kinds: space space space"]])
        + choose.choice([[], [origin], [origin, 'space units: "mm" "mm" "mm"', "measurement frame: (1,0,0) (0,1,0) (0,0,1)"]]),
        "dimension": ["dimension: 3", "space dimension: 3", "sizes: 6 5 4", f"space directions: {directions}", origin],
        "spacings": ["dimension: 3", "sizes: 6 5 4", "spacings: 0.7 0.9 3.1"],
        "mins": ["dimension: 3", "sizes: 6 5 4", "spacings: 0.7 0.9 3.1", "axis mins: 1 2 3"]
        + choose.choice([[], ["centers: cell cell cell"], ["centers: node node node"], ["axis maxs: 7 8 30"]]),
        "negative": ["dimension: 3", "sizes: 6 5 4", "spacings: -0.7 0.9 3.1"],
        "time": ["dimension: 4", "sizes: 6 5 4 1", "kinds: domain domain domain time", "spacings: 0.7 0.9 3.1 1"],
        "component": ["dimension: 4", "space: LPS", "sizes: 1 6 5 4", "kinds: vector domain domain domain",
                      f"space directions: none {directions}", origin],
        "none": ["dimension: 3", "sizes: 6 5 4"],
    }[place]
    encoding = choose.choice(["raw", "raw", "gzip", "gz", "ascii", "text", "hex"])
    header += [f"encoding: {encoding}", f"endian: {'big' if big else 'little'}"]
    if encoding == "raw":
        skips, body = choose.choice([
            ([], raw), (["byte skip: 7"], b"x" * 7 + raw), (["byte skip: -1"], b"xyz" + raw),
            (["line skip: 2"], b"a\nb\n" + raw), (["line skip: 1", "byte skip: 3"], b"a\nxyz" + raw)])
    elif encoding.startswith("g"):
        skips, body = choose.choice([
            ([], gzip.compress(raw, mtime=0)), (["byte skip: 7"], gzip.compress(b"x" * 7 + raw, mtime=0)),
            (["byte skip: -1"], gzip.compress(b"xyz" + raw, mtime=0)), (["line skip: 1"], b"a\n" + gzip.compress(raw, mtime=0))])
    elif encoding == "hex":
        skips, body = [], raw.hex().encode()
    else:
        skips, body = [], " ".join(repr(value.item()) for value in values.ravel()).encode()
    header += skips + choose.choice([[], ["# a comment", "mine:=value: 3"]])
    return files(name, [f"NRRD000{choose.choice('45')}"] + header, body, ("nrrd", "nhdr"), f"data file: {name}.dat", "", values)


def meta(name):
    count = choose.choice([3, 3, 3, 2])
    code, big, values, raw = voxels((4, 5, 6)[3 - count:])
    body, fields = raw, [("ObjectType", "Image"), ("NDims", count), ("BinaryData", "True")]
    fields.append((choose.choice(["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]), str(big)))
    if count == 3 and choose.random() < 0.8:
        turn = " ".join(f"{value:.15g}" for value in rotation().ravel())
        fields.append((choose.choice(["TransformMatrix", "Rotation", "Orientation"]), turn))
    if choose.random() < 0.8:
        fields.append((choose.choice(["Offset", "Position", "Origin"]), " ".join(["1.5", "-2", "30"][:count])))
    spacing, ones = " ".join(["0.7", "0.9", "3.1"][:count]), " ".join(["1"] * count)
    fields += choose.choice([
        [], [("ElementSpacing", spacing)], [("ElementSize", spacing)], [("ElementSpacing", spacing), ("ElementSize", ones)]])
    is_compressed, is_detached = choose.random() < 0.4, choose.random() < 0.4
    if is_compressed:
        body = choose.choice([zlib.compress(raw), gzip.compress(raw, mtime=0)])
        fields += [("CompressedData", "True"), ("CompressedDataSize", len(body))]  # ITK reads garbage without it
    elif choose.random() < 0.4:
        size, before = choose.choice([(-1, b"xyz"), (5, b"12345")]) if is_detached else (-1, b"xyz")
        fields.append(("HeaderSize", size))
        body = before + body
    fields += choose.choice([[], [("AnatomicalOrientation", "LPI"), ("ElementNumberOfChannels", 1)]])
    fields += [("DimSize", " ".join(map(str, reversed(values.shape)))), ("ElementType", TYPES[code][1])]
    separator = choose.choice([" = ", "=", ": "])
    last = [f"ElementDataFile{separator}{target}" for target in (f"{name}.dat", "LOCAL")]
    return files(
        name, [f"{key}{separator}{value}" for key, value in fields], body, ("mha", "mhd"), *last, values, is_detached)


def files(name, lines, body, endings, detached, attached, values, is_detached=None):
    """The header's and the voxels' files in a dictionary, which are one file where they are attached."""
    is_detached = choose.random() < 0.3 if is_detached is None else is_detached
    end = "\r\n" if choose.random() < 0.2 else "\n"
    text = (end.join(lines + [detached if is_detached else attached]) + end).encode()
    first = f"{name}.{endings[is_detached]}"
    return first, {first: text, f"{name}.dat": body} if is_detached else {first: text + body}, values


def main():
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(120):
            first, contents, values = (nrrd if index % 2 else meta)(f"{'nm'[index % 2 == 0]}{index:03}")
            for name, data in contents.items():
                (pathlib.Path(folder) / name).write_bytes(data)
            image = SimpleITK.ReadImage(str(pathlib.Path(folder) / first))
            array = SimpleITK.GetArrayFromImage(image)
            assert (array.ravel() == values.ravel()).all(), first
            count = min(image.GetDimension(), 3)
            direction = np.array(image.GetDirection()).reshape(image.GetDimension(), -1)[:count, :count]
            cases.append({
                "name": first, "files": {name: base64.b64encode(data).decode() for name, data in contents.items()},
                "spacing": image.GetSpacing()[:count], "origin": image.GetOrigin()[:count],
                "direction": direction.ravel().tolist(), "voxels": [value.item() for value in values.ravel()]})
    FILE.write_text(json.dumps(cases) + "\n")


main()
