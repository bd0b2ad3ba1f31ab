#!/usr/bin/env python3
"""Makes Tests/Fixtures/like/cases.json and slices.json: what other people's tools gave for small label maps, the latter
for arrays of two axes, which are grids of one slice here.

    python Tools/fixtures_like.py MEDPY_0_4_BINARY_PY [slices]

With `slices`, slices.json alone, for which nnunetv2 is not needed: nnU-Net has no surface distances.

Needs medpy 0.5.2, monai 1.6.1 with torch, nnunetv2 2.8.1 and batchgenerators (both --no-deps), NumPy 2.0 to 2.2 (from
2.3 on, MedPy's dc of two empty masks is NaN by accident: its ZeroDivisionError never comes), and the file
medpy/metric/binary.py of the source distribution medpy 0.4.0. TransUNet's rule is its calculate_metric_percase, here on
medpy 0.5.2 (its hd95 and dc of masks that are not empty are those of 0.4.0). `published` is computed here with scipy.

Axes of arrays are z, y, x; sizes and spacings are written x, y, z, as in the Swift code. A null is NaN or an error that
the tool raised; "inf" is infinity.
"""
import importlib.util
import json
import math
import pathlib
import sys
import tempfile
import types
import warnings

import numpy as np
import torch
from medpy.metric import binary as medpy
from monai.metrics import DiceMetric, HausdorffDistanceMetric, SurfaceDiceMetric, SurfaceDistanceMetric
from scipy import ndimage

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "like"
CLASSES = (1, 2)
TOLERANCES = (1.0, 2.0)


def blob(generator, shape, share):
    noise = ndimage.gaussian_filter(generator.standard_normal(shape), 1.8)
    return noise > np.quantile(noise, 1 - share)


def box(shape, label, *ranges):
    array = np.zeros(shape, np.uint8)
    array[tuple(slice(*r) for r in ranges)] = label
    return array


def cases():
    """Name, spacing (x, y, z), prediction and reference of label maps with classes 1 and 2."""
    shape = (7, 11, 12)
    one = box(shape, 1, (1, 4), (2, 7), (2, 8))
    two = box(shape, 2, (4, 6), (5, 10), (6, 11))
    shifted = np.roll(one, (1, 1, -1), (0, 1, 2))
    spacing = (0.625, 0.75, 3.6)
    yield "overlap", spacing, np.maximum(shifted, np.roll(two, -1, 1)), np.maximum(one, two)
    edge = box(shape, 1, (0, 3), (0, 11), (0, 5))
    yield "touches the border", (1, 1, 1), edge | box(shape, 2, (3, 7), (6, 11), (5, 12)), edge[:, ::-1, ::-1] | two
    islands = np.maximum(one, box(shape, 1, (5, 7), (9, 11), (0, 2)))
    islands[4, 7, 8] = 1  # touches the larger part by a corner
    yield "two components", (0.9, 1.2, 0.85), np.maximum(islands, two), np.maximum(np.roll(one, 1, 2), two)
    yield "miss", spacing, one, np.maximum(one, two)
    yield "false alarm", spacing, np.maximum(shifted, two), one
    yield "both empty", (1.5, 1.5, 2), shifted, one
    yield "identical", (0.7, 0.7, 5), np.maximum(one, two), np.maximum(one, two)
    yield "single voxels", (0.5, 1.5, 2.5), box(shape, 1, (1, 2), (2, 3), (3, 4)) | box(
        shape, 2, (6, 7), (10, 11), (11, 12)), box(shape, 1, (4, 5), (0, 1), (6, 7)) | box(shape, 2, (0, 1), (0, 1), (0, 1))
    yield "nothing predicted", (1.1, 1.3, 2.2), np.zeros(shape, np.uint8), np.maximum(one, two)
    generator = np.random.default_rng(3)
    for number, spacing in enumerate([(0.9, 0.7, 3.3), (0.3, 0.3, 0.3)]):
        pair = []
        for _ in range(2):
            labels = blob(generator, (8, 16, 18), 0.2).astype(np.uint8)
            labels[blob(generator, labels.shape, 0.15)] = 2
            pair.append(labels)
        yield f"blobs {number}", spacing, *pair


def slices():
    """As `cases`, but arrays and spacings (x, y) of two axes."""
    shape = (11, 12)
    spacing = (1.2, 0.85)  # MONAI's own tests of anisotropic pictures have this one
    one, two = box(shape, 1, (2, 8), (2, 8)), box(shape, 2, (5, 10), (8, 12))
    shifted = np.roll(one, (1, -1), (0, 1))
    yield "overlap", spacing, np.maximum(shifted, np.roll(two, -1, 0)), np.maximum(one, two)
    edge = box(shape, 1, (0, 11), (0, 5))
    yield "touches the border", (1, 1), edge | box(shape, 2, (6, 11), (5, 12)), edge[::-1, ::-1] | two
    islands = np.maximum(one, box(shape, 1, (9, 11), (0, 2)))
    islands[8, 8] = 1  # touches the larger part by a corner
    yield "two components", (0.3, 2.5), np.maximum(islands, two), np.maximum(np.roll(one, 1, 1), two)
    yield "miss", spacing, one, np.maximum(one, two)
    yield "false alarm", spacing, np.maximum(shifted, two), one
    yield "both empty", (1.5, 0.5), shifted, one
    yield "identical", (0.7, 0.9), np.maximum(one, two), np.maximum(one, two)
    yield "single pixels", (0.5, 1.5), box(shape, 1, (2, 3), (3, 4)) | box(shape, 2, (10, 11), (11, 12)), box(
        shape, 1, (0, 1), (6, 7)) | box(shape, 2, (0, 1), (0, 1))
    yield "nothing predicted", (1.1, 1.3), np.zeros(shape, np.uint8), np.maximum(one, two)
    y, x = np.ogrid[:40, :40]
    discs = [((y - 20) * 0.85) ** 2 + ((x - column) * 1.2) ** 2 <= 12 ** 2 for column in (18, 20)]
    yield "discs", spacing, *(disc.astype(np.uint8) for disc in discs)
    generator = np.random.default_rng(4)
    for number, spacing in enumerate([(0.9, 0.7), (0.3, 0.3), spacing]):
        pair = []
        for _ in range(2):
            labels = blob(generator, (26, 28), 0.3).astype(np.uint8)
            labels[blob(generator, labels.shape, 0.2)] = 2
            pair.append(labels)
        yield f"blobs {number}", spacing, *pair


def attempt(function, *arguments, **options):
    """The number, or NaN where the tool raises what it raises for empty masks."""
    try:
        return float(function(*arguments, **options))
    except (RuntimeError, ZeroDivisionError):
        return math.nan


def with_medpy(module, p, r, spacing):
    options = {"voxelspacing": spacing[::-1]}
    return {
        "dice": attempt(module.dc, p, r),
        "iou": attempt(module.jc, p, r),
        "hausdorff_mm": attempt(module.hd, p, r, **options),
        "hd95_mm": attempt(module.hd95, p, r, **options),
        "asd_mm": attempt(module.asd, p, r, **options),
        "assd_mm": attempt(module.assd, p, r, **options),
    }


def with_transunet(p, r):
    if p.any() and r.any():
        dice, hd95 = medpy.dc(p, r), medpy.hd95(p, r)
    else:
        dice, hd95 = (1, 0) if p.any() else (0, 0)
    return {"dice": float(dice), "hd95_voxels": float(hd95)}


def with_published(p, r):
    parts, count = ndimage.label(p, np.ones((3,) * p.ndim))
    p = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]) if count else np.ones_like(p)
    distance = math.nan
    if r.any():
        surfaces = [mask & ~ndimage.binary_erosion(mask) for mask in (p, r)]
        distance = ndimage.distance_transform_edt(~surfaces[1])[surfaces[0]].mean()
    return {"dice": 2 * float((p & r).sum()) / float(p.sum() + r.sum()), "asd_voxels": float(distance)}


class Monai:
    """The metrics with their defaults but for what docs/conventions.md names."""

    def __init__(self, reduction):
        common = {"include_background": False, "reduction": reduction, "get_not_nans": True}
        self.metrics = {
            "dice": DiceMetric(**common),
            "dice_empty_1": DiceMetric(ignore_empty=False, **common),
            "hausdorff_mm": HausdorffDistanceMetric(**common),
            "hd95_mm": HausdorffDistanceMetric(percentile=95, **common),
            "asd_mm": SurfaceDistanceMetric(**common),
            "assd_mm": SurfaceDistanceMetric(symmetric=True, **common),
        }
        for tolerance in TOLERANCES:
            self.metrics[f"nsd_{tolerance:g}mm"] = SurfaceDiceMetric([tolerance] * len(CLASSES), **common)

    def add(self, p, r, spacing):
        onehot = [torch.from_numpy(np.stack([labels == c for c in (0, *CLASSES)]))[None] for labels in (p, r)]
        values = {}
        for name, metric in self.metrics.items():
            spaced = {} if name.startswith("dice") else {"spacing": [float(s) for s in spacing[::-1]]}
            values[name] = metric(*onehot, **spaced)[0].tolist()
        return {str(c): {name: v[i] for name, v in values.items()} for i, c in enumerate(CLASSES)}

    def means(self):
        results = {name: metric.aggregate() for name, metric in self.metrics.items()}
        return {name: [np.asarray(part).ravel().tolist() for part in result] for name, result in results.items()}


def nnunet(folder, names):
    """summary.json of nnU-Net's own compute_metrics_on_folder; what it imports for files and plans is left out."""
    for name, attribute in [
        ("nnunetv2.imageio.base_reader_writer", "BaseReaderWriter"),
        ("nnunetv2.imageio.simpleitk_reader_writer", "SimpleITKIO"),
        ("nnunetv2.utilities.plans_handling.plans_handler", "PlansManager"),
        ("nnunetv2.imageio.reader_writer_registry", "determine_reader_writer_from_dataset_json"),
    ]:
        module = sys.modules[name] = types.ModuleType(name)
        setattr(module, attribute, type(attribute, (), {}))
    sys.modules["nnunetv2.imageio.reader_writer_registry"].determine_reader_writer_from_file_ending = None
    from nnunetv2.evaluation import evaluate_predictions as nnu

    class Pool:  # in this process, where the modules above are
        __enter__ = lambda self: self  # noqa: E731
        __exit__ = lambda self, *_: None  # noqa: E731
        starmap = lambda self, f, arguments: [f(*a) for a in arguments]  # noqa: E731

    class Reader:
        read_seg = lambda self, file: (np.load(file), {})  # noqa: E731

    nnu.multiprocessing = types.SimpleNamespace(get_context=lambda _: types.SimpleNamespace(Pool=lambda _: Pool()))
    nnu.compute_metrics_on_folder(
        f"{folder}/r", f"{folder}/p", f"{folder}/summary.json", Reader(), ".npy", list(CLASSES))
    summary = json.loads(pathlib.Path(folder, "summary.json").read_text())
    key = {"Dice": "dice", "IoU": "iou"}
    rename = lambda d: {key.get(k, k.lower()): v for k, v in d.items()}  # noqa: E731
    per_case = {
        pathlib.Path(c["prediction_file"]).stem: {k: rename(v) for k, v in c["metrics"].items()}
        for c in summary["metric_per_case"]
    }
    means = {**{k: rename(v) for k, v in summary["mean"].items()}, "mean": rename(summary["foreground_mean"])}
    assert list(per_case) == names
    return per_case, means


def runs(labels):
    """Value, length, value, length, … in x-fastest order."""
    flat = labels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    return [int(n) for s, e in zip(starts, starts[1:]) for n in (flat[s], e - s)]


def written(value):
    if isinstance(value, dict):
        return {k: written(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(v) for v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else "inf" if math.isinf(value) else value
    return value


def with_tools(p, r, spacing, medpy04, monai):
    """What each tool but nnU-Net gives, by class."""
    binary = {str(c): (p == c, r == c) for c in CLASSES}
    return {
        "medpy": {c: with_medpy(medpy, *pair, spacing) for c, pair in binary.items()},
        "medpy-0.4": {c: with_medpy(medpy04, *pair, spacing) for c, pair in binary.items()},
        "monai": monai.add(p, r, spacing),
        "transunet": {c: with_transunet(*pair) for c, pair in binary.items()},
        "published": {c: with_published(*pair) for c, pair in binary.items()},
    }


def entry(name, spacing, p, r, expected):
    size, spacing = list(p.shape[::-1]) + [1] * (3 - p.ndim), [float(s) for s in spacing] + [1.0] * (3 - p.ndim)
    return {
        "name": name, "size": size, "spacingMM": spacing, "prediction": runs(p), "reference": runs(r),
        "expected": expected,
    }


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(written(content), separators=(",", ":"), allow_nan=False)
    (FOLDER / name).write_text(text.replace('{"name"', '\n{"name"').replace('"means"', '\n"means"') + "\n")


def main():
    assert isinstance(np.count_nonzero(np.zeros(1)), int), "NumPy before 2.3 is needed, see above"
    specification = importlib.util.spec_from_file_location("medpy04", sys.argv[1])
    medpy04 = importlib.util.module_from_spec(specification)
    warnings.simplefilter("ignore")
    specification.loader.exec_module(medpy04)
    flat = Monai("mean_batch")
    write("slices.json", {
        "cases": [entry(*case, with_tools(*case[2:], case[1], medpy04, flat)) for case in slices()], "means": {}})
    if sys.argv[2:] == ["slices"]:
        return
    by_class, overall = Monai("mean_batch"), Monai("mean")
    fixtures = []
    with tempfile.TemporaryDirectory() as folder:
        for part in "pr":
            pathlib.Path(folder, part).mkdir()
        for index, (name, spacing, p, r) in enumerate(cases()):
            np.save(f"{folder}/p/{index:02}.npy", p)
            np.save(f"{folder}/r/{index:02}.npy", r)
            overall.add(p, r, spacing)
            fixtures.append(entry(name, spacing, p, r, with_tools(p, r, spacing, medpy04, by_class)))
        per_case, nnunet_means = nnunet(folder, [f"{i:02}" for i in range(len(fixtures))])
    for index, fixture in enumerate(fixtures):
        fixture["expected"]["nnunet"] = per_case[f"{index:02}"]
    monai_means = {str(c): {} for c in CLASSES} | {"mean": {}}
    for name, (means, _) in by_class.means().items():
        for c, mean in zip(CLASSES, means):
            monai_means[str(c)][name] = mean
        monai_means["mean"][name] = overall.means()[name][0][0]
    transunet = [[list(f["expected"]["transunet"][str(c)].values()) for c in CLASSES] for f in fixtures]
    transunet = np.array(transunet).sum(0) / len(fixtures)  # as its test.py does
    names = ("dice", "hd95_voxels")
    transunet_means = {str(c): dict(zip(names, map(float, row))) for c, row in zip(CLASSES, transunet)}
    transunet_means["mean"] = dict(zip(names, map(float, transunet.mean(0))))
    means = {"monai": monai_means, "nnunet": nnunet_means, "transunet": transunet_means}
    write("cases.json", {"cases": fixtures, "means": means})


if __name__ == "__main__":
    main()
