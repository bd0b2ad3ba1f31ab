"""Makes Tests/Fixtures/imaging: small volumes by nibabel and SimpleITK, and scipy's answers in reference.json.

Needs numpy, scipy, nibabel and SimpleITK. Every volume holds x + 5y + 20z (0 to 59) on 5x4x3 voxels, less 30 for
signed types.
"""

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
from scipy import ndimage

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "imaging"
VALUES = np.arange(60).reshape(3, 4, 5).transpose(2, 1, 0)  # [x, y, z]
SPACING = (0.7, 0.9, 3.1)
TYPES = "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8".split()
affines = {}


def rotation(axis, angle):
    i, j = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix


def affine(directions, origin=(11.1, -22.2, 33.3)):
    result = np.eye(4)
    result[:3, :3] = directions @ np.diag(SPACING)
    result[:3, 3] = origin
    return result


OBLIQUE = rotation(0, 0.2) @ rotation(1, 0.3) @ rotation(2, -0.4)


def save(name, values=VALUES, matrix=affine(OBLIQUE), dtype="i2", sform=1, qform=1, qmatrix=None, version=1, edit=None):
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    header = kind.header_class(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    image = kind(values.astype(dtype), matrix, header)
    image.set_sform(matrix if sform else None, sform)
    image.set_qform((matrix if qmatrix is None else qmatrix) if qform else None, qform)
    image.header.set_xyzt_units("mm")
    if edit:
        edit(image.header)
    path = FOLDER / name
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0) if name.endswith(".gz") else image.to_bytes())
    affines[name] = nibabel.load(path).affine[:3].ravel().tolist()


def signed(dtype):
    return VALUES - 30 * (dtype[-2] in "if")


def write_nifti():
    for dtype in TYPES:
        save(f"type-{dtype}.nii.gz", signed(dtype), dtype=dtype)
    save("big-endian.nii", signed("i2"), dtype=">i2")
    save("nifti2.nii.gz", signed("f8"), dtype="f8", version=2)
    save("nifti2-big-endian.nii", signed("i4"), dtype=">i4", version=2)
    save("scaled.nii.gz", edit=lambda header: header.set_slope_inter(2.5, -3))
    save("labels-scaled.nii.gz", edit=lambda header: header.set_slope_inter(0.5, 0))
    save("sform-only.nii.gz", qform=0)
    save("qform-only.nii.gz", sform=0)
    save("sform-differs.nii.gz", sform=2, qmatrix=affine(np.eye(3), (1, 2, 3)))
    save("rounded-sform.nii.gz", matrix=affine(np.round(OBLIQUE, 4)), qform=0)
    save("sheared-with-qform.nii.gz", matrix=affine(OBLIQUE @ [[1, 0.1, 0], [0, 1, 0], [0, 0, 1]]), qmatrix=affine(OBLIQUE))
    affines["sheared-with-qform.nii.gz"] = affines["qform-only.nii.gz"]
    save("sheared.nii.gz", matrix=affine(OBLIQUE @ [[1, 0.1, 0], [0, 1, 0], [0, 0, 1]]), qform=0)
    save("flipped.nii.gz", matrix=affine(np.diag([-1, 1, -1])))
    save("permuted.nii.gz", matrix=affine(np.eye(3)[[2, 0, 1]] * [1, -1, 1]))
    save("one-slice.nii.gz", VALUES[:, :, :1])
    save("extra-axes.nii.gz", VALUES[..., None, None])
    save("four-d.nii.gz", np.stack([VALUES, VALUES], -1))
    save("two-d.nii.gz", VALUES[:, :, 0])
    save("complex.nii.gz", VALUES, dtype="c8")
    save("metres.nii.gz", edit=lambda header: header.set_xyzt_units("meter"))
    affines["metres.nii.gz"] = [1000 * value for value in affines["metres.nii.gz"]]
    with_nan = VALUES.astype("f4")
    with_nan[1, 2, 1] = np.nan
    save("nan.nii.gz", with_nan, dtype="f4")


def write_others():
    lps = np.diag([-1, -1, 1]) @ OBLIQUE
    for dtype in TYPES:
        image = SimpleITK.GetImageFromArray(signed(dtype).transpose(2, 1, 0).astype(dtype))
        image.SetSpacing(SPACING)
        image.SetOrigin((-11.1, 22.2, 33.3))
        image.SetDirection(lps.ravel().tolist())
        names = [f"type-{dtype}.mha", f"type-{dtype}.nrrd"]
        if dtype == "i2":
            names += ["pair.mhd", "pair.nhdr"]
        for name in names:
            SimpleITK.WriteImage(image, str(FOLDER / name), dtype not in ("i2", "f8"))
            affines[name] = affine(OBLIQUE)[:3].ravel().tolist()


def sitk_affine(path):
    image = SimpleITK.ReadImage(str(path))
    result = np.eye(4)
    result[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    result[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ result


NRRD_SPACES = (
    "right-anterior-superior left-anterior-superior left-posterior-superior RAS LAS LPS scanner-xyz 3D-right-handed "
    "3D-left-handed"
).split()


def write_spaces():
    """NRRD by its text: SimpleITK says where each lies, but for the spaces with time, which it leaves unturned."""
    bytes_ = VALUES.transpose(2, 1, 0).astype("u1").tobytes()
    vectors = [" ".join(f"({','.join(f'{value:.17g}' for value in (*axis, *more))})" for axis in affine(OBLIQUE)[:3, :3].T)
               for more in ((), (0,))]
    for name in NRRD_SPACES + ["right-anterior-superior-time", "LAST"]:
        has_time = name not in NRRD_SPACES
        path = FOLDER / f"space-{name}.nrrd"
        path.write_bytes(
            f"NRRD0004\ntype: uint8\ndimension: {4 if has_time else 3}\nspace: {name}\nsizes: 5 4 3{' 1' * has_time}\n"
            f"space directions: {vectors[has_time]}{' (0,0,0,1)' * has_time}\nencoding: raw\n"
            f"space origin: (11.1,-22.2,33.3{',0' * has_time})\nspace:=not this one\n\n".encode() + bytes_)
        turn = {"right-anterior-superior-time": [1, 1, 1, 1], "LAST": [-1, 1, 1, 1]}
        place = np.diag(turn[name]) @ affine(OBLIQUE) if has_time else sitk_affine(path)
        affines[path.name] = place[:3].ravel().tolist()


def write_meta_headers():
    """MetaImage's names for one thing: SimpleITK says where each lies."""
    turn = " ".join(f"{value:.17g}" for value in OBLIQUE.T.ravel())
    headers = dict(
        anatomical=f"TransformMatrix = {turn}\nOffset = 1 2 3\nAnatomicalOrientation = LPI\nElementSpacing = 0.7 0.9 3.1\n",
        rotation=f"Rotation = {turn}\nPosition = 1 2 3\nElementSpacing = 0.7 0.9 3.1\n",
        size=f"Orientation = {turn}\nOrigin = 1 2 3\nElementSize = 0.7 0.9 3.1\n",
        centre=f"TransformMatrix = {turn}\nOffset = 1 2 3\nCenterOfRotation = 4 5 6\nElementSize = 1 1 1\n"
        "ElementSpacing = 0.7 0.9 3.1\n")
    for name, header in headers.items():
        path = FOLDER / f"meta-{name}.mha"
        path.write_bytes(
            f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n{header}DimSize = 5 4 3\n"
            "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n".encode() + VALUES.transpose(2, 1, 0).astype("u1").tobytes())
        affines[path.name] = sitk_affine(path)[:3].ravel().tolist()


def write_pairs():
    for name, kind, dtype in (("two-files", nibabel.Nifti1Pair, "<i2"), ("analyze", nibabel.AnalyzeImage, ">i2")):
        header = kind.header_class(endianness=dtype[0])
        header.set_data_dtype(dtype)
        matrix = affine(OBLIQUE) if name == "two-files" else np.diag([-0.7, 0.9, 3.1, 1])
        nibabel.save(kind(VALUES.astype(dtype), matrix, header), FOLDER / f"{name}.img")
    for part in ("hdr", "img"):
        path = FOLDER / f"packed.{part}.gz"
        path.write_bytes(gzip.compress((FOLDER / f"two-files.{part}").read_bytes(), mtime=0))
    affines["two-files.hdr"] = nibabel.load(FOLDER / "two-files.hdr").affine[:3].ravel().tolist()
    affines["packed.hdr.gz"] = affines["two-files.hdr"]
    affines["analyze.hdr"] = sitk_affine(FOLDER / "analyze.img")[:3].ravel().tolist()


def write_places():
    half_turn = rotation(2, np.pi / 2) @ np.diag([1, -1, -1])
    save("half-turn.nii.gz", matrix=affine(half_turn), sform=0)
    save("no-form.nii.gz", sform=0, qform=0, edit=lambda header: header.set_xyzt_units("micron", "sec"))
    affines["no-form.nii.gz"] = (np.diag([-1, -1, 1]) @ np.diag(SPACING) / 1000 @ np.eye(3, 4)).ravel().tolist()
    # The same image with a qform of its own and a sform of its own, and the mask that ITK writes for it.
    save("two-forms.nii.gz", dtype="u1", sform=2, qmatrix=affine(rotation(2, 0.3), (1, 2, 3)))
    image = SimpleITK.ReadImage(str(FOLDER / "two-forms.nii.gz"))
    SimpleITK.WriteImage(image, str(FOLDER / "two-forms-mask.nii.gz"))
    rgb = np.zeros((5, 4, 3), [(channel, "u1") for channel in "RGB"])
    rgb["G"] = VALUES
    nibabel.save(nibabel.Nifti1Image(rgb, np.eye(4)), FOLDER / "rgb.nii.gz")
    nearly = VALUES.astype("f4")
    nearly[1, 0, 0], nearly[2, 0, 0] = 1.0000153, 1.9991
    save("nearly-labels.nii.gz", nearly, dtype="f4")
    save("many-labels.nii.gz", VALUES * 10, dtype="i2")


def distances():
    random = np.random.default_rng(3)
    masks = {"one": np.zeros((6, 5, 4), bool), "scattered": random.random((6, 5, 4)) < 0.06, "block": np.zeros((6, 5, 4), bool)}
    masks["one"][2, 3, 1] = True
    masks["block"][1:4, 2:5, :2] = True
    for name, mask in masks.items():
        for spacing in ((1, 1, 1), (0.85, 1.2, 3.6)):
            distance = ndimage.distance_transform_edt(~mask, sampling=spacing)
            yield dict(mask=flat(mask.astype(int)), size=mask.shape, spacing=spacing, distance=flat(distance))


def flat(array):
    return array.ravel(order="F").tolist()


def resampling():
    """Indices of the target grid in the source's, by plain algebra; values by scipy."""
    source = dict(size=(6, 5, 4), spacing=(1.5, 1, 2), origin=(3, -4, 5), matrix=rotation(2, 0.3))
    target = dict(size=(7, 8, 5), spacing=(1.1, 0.8, 1.7), origin=(2.3, -3.9, 5.2), matrix=rotation(2, 0.25) @ rotation(0, 0.1))
    values = np.random.default_rng(5).random(source["size"])
    grid = np.stack(np.meshgrid(*map(np.arange, target["size"]), indexing="ij")).reshape(3, -1)
    points = target["matrix"] @ np.diag(target["spacing"]) @ grid + np.array(target["origin"])[:, None]
    indices = np.diag(1 / np.array(source["spacing"])) @ source["matrix"].T @ (points - np.array(source["origin"])[:, None])
    result = dict(values=flat(values))
    last = np.array(source["size"])[:, None] - 1
    nearest = np.clip(np.floor(indices + 0.5), 0, last)
    outside = ((indices < -0.5) | (indices >= last + 0.5)).any(axis=0)
    for name, where in (("linear", np.where(outside, nearest, np.clip(indices, 0, last))), ("nearest", nearest)):
        result[name] = flat(ndimage.map_coordinates(values, where, order=1).reshape(target["size"]))
    for name, grid in (("source", source), ("target", target)):
        result[name] = dict(grid, matrix=grid["matrix"].ravel().tolist())
    return result


def smoothing():
    values = np.random.default_rng(7).random((12, 9, 2))
    sigmas = np.array(2.5) / (1, 1.5, 3)
    return dict(values=flat(values), smooth=flat(ndimage.gaussian_filter(values, sigmas, mode="nearest", truncate=8)))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_nifti()
    write_others()
    write_spaces()
    write_meta_headers()
    write_pairs()
    write_places()
    reference = dict(affines=affines, distances=list(distances()), resampling=resampling(), smoothing=smoothing())
    rounded = json.loads(json.dumps(reference), parse_float=lambda text: float(f"{float(text):.12g}"))
    (FOLDER / "reference.json").write_text(json.dumps(rounded, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
