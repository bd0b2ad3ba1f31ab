"""Makes Tests/Fixtures/plans: windows, poolings and kernels that nnU-Net plans, at random and for real data.

    python Tools/fixtures_plans.py ../shared/data

The folder has `hippocampus` (Medical Segmentation Decathlon) and `prostate` (a folder a site). Needs nnunetv2 2.8.1,
acvl-utils, batchgenerators, batchgeneratorsv2, dynamic-network-architectures, scikit-image, lazy-loader, imageio and
tqdm (all --no-deps) beside the environment of the other fixtures.

All axes are in the order of a tensor: z, y, x.

topologies.json
    topologies  300 random [spacing in mm, window, poolings of each axis, strides of each pooling, kernels of each
                level, padded window], by get_pool_and_conv_props
    windows     120 random [spacing in mm, median size, most voxels, patch, whether axes tied], by ExperimentPlanner
                with a memory estimate that is the number of voxels; axes tie where two have the largest share of the
                size
datasets.json, by data set
    cases       [size, size that nnU-Net's crop to nonzero leaves, spacing in mm] of each training case
    anisotropic whether the target spacing of the coarsest axis is the 10th percentile and not the median
    spacing, median_size, patch, strides, kernels, batch    of the plan 3d_fullres with the default memory
    unbounded   patch, strides and kernels with unlimited memory
Strides of networks leave out nnU-Net's first entry, which is all ones.
"""
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
from unittest.mock import MagicMock

import nibabel
import numpy as np

if __name__ == "__main__":
    kept = tempfile.TemporaryDirectory()
    os.environ["DUALNORM_PLANS"] = kept.name  # for spawned processes too
temporary = pathlib.Path(os.environ["DUALNORM_PLANS"])
for name in ("raw", "preprocessed", "results"):
    os.environ["nnUNet_" + name] = str(temporary / name)
sys.modules["blosc2"] = MagicMock()  # nnU-Net imports it for compressed data, of which there are none here
with contextlib.redirect_stdout(io.StringIO()):
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
    from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
    from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props

folder = pathlib.Path("Tests/Fixtures/plans")
UNLIMITED = 1e6


def plain(value):
    """Lists and numbers of Python out of tuples and arrays."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    return int(value) if float(value).is_integer() else float(value)


def random_spacing(random):
    """Unlike axes, or slices of square pixels, some at exact ratios of powers of 2."""
    kind = random.integers(3)
    if kind == 0:
        return [round(float(np.exp(random.uniform(np.log(0.3), np.log(8)))), 3) for _ in range(3)]
    if kind == 1:
        return [float(2.0 ** random.integers(-1, 4)) for _ in range(3)]
    across, within = (round(float(np.exp(random.uniform(np.log(0.3), np.log(8)))), 2) for _ in range(2))
    return [across, within, within]


def topologies(random):
    rows = []
    for index in range(300):
        spacing = random_spacing(random)
        window = [int(side) for side in random.integers(4, 40 if index % 4 == 0 else 321, 3)]
        poolings, strides, kernels, padded, _ = get_pool_and_conv_props(spacing, window, 4, 999999)
        rows.append([spacing, window, plain(poolings), plain(strides[1:]), plain(kernels), plain(padded)])
    return rows


class CountsVoxels(ExperimentPlanner):
    """The default planner without data, for which a window costs the number of its voxels."""

    tried = []  # the patches of one plan

    def __init__(self, limit):
        self.tried.clear()
        self.dataset_json = {"channel_names": {"0": "T2"}, "labels": {"background": 0, "organ": 1}}
        self.dataset_fingerprint = {"median_relative_size_after_cropping": 1}
        self.UNet_base_num_features, self.UNet_max_features_3d = 32, 320
        self.UNet_class = MagicMock(__module__="", __name__="")
        self.UNet_featuremap_min_edge_length = 4
        self.UNet_blocks_per_stage_encoder = self.UNet_blocks_per_stage_decoder = (2,) * 14
        self.UNet_reference_val_3d = limit
        self.UNet_reference_val_corresp_bs_3d, self.UNet_min_batch_size = 2, 2
        self.UNet_vram_target_GB = self.UNet_reference_val_corresp_GB = 1
        self.max_dataset_covered = 0.05
        self.preprocessor_name = ""

    @staticmethod
    def static_estimate_VRAM_usage(patch_size, *_):
        if min(patch_size) <= 0:
            raise ValueError("an empty patch")
        CountsVoxels.tried.append(plain(patch_size))
        return int(np.prod(patch_size))


def windows(random):
    rows = []
    while len(rows) < 120:
        spacing = random_spacing(random)
        size = [int(side) for side in random.integers(12, 500, 3)]
        if len(rows) % 3 == 0:  # equal sides, so that axes tie
            size[2] = size[1]
        limit = int(min(256 ** 3, np.prod(size)) * float(np.exp(random.uniform(np.log(0.01), 0))))
        try:
            plan = CountsVoxels(limit).get_plans_for_configuration(spacing, size, "", 1e12, {})
        except ValueError:
            continue
        patches = CountsVoxels.tried
        rows.append([spacing, size, limit, plain(plan["patch_size"]), any(tied(patch, size) for patch in patches[:-1])])
    return rows


def tied(patch, size):
    """Whether two axes of a patch have the largest share of a size."""
    shares = sorted(side / whole for side, whole in zip(patch, size))
    return shares[1] == shares[2]


def link(raw, name, image, labels):
    (raw / "imagesTr" / f"{name}_0000.nii.gz").symlink_to(image.resolve())
    (raw / "labelsTr" / f"{name}.nii.gz").symlink_to(labels.resolve())


def raw_data(identifier, name, pairs, channel, labels):
    """A data set in nnU-Net's layout."""
    raw = temporary / "raw" / f"Dataset{identifier:03}_{name}"
    for part in ("imagesTr", "labelsTr"):
        (raw / part).mkdir(parents=True)
    for case, image, mask in pairs:
        link(raw, case, image, mask)
    (raw / "dataset.json").write_text(json.dumps({
        "channel_names": {"0": channel}, "labels": {"background": 0} | labels, "numTraining": len(pairs),
        "file_ending": ".nii.gz"}))
    return raw.name


def network(plan):
    kwargs = plan["architecture"]["arch_kwargs"]
    return {"patch": plain(plan["patch_size"]), "strides": plain(kwargs["strides"][1:]),
            "kernels": plain(kwargs["kernel_sizes"])}


def plan_of(name, memory):
    planner = ExperimentPlanner(name, gpu_memory_target_in_gb=memory, plans_name=f"plans{memory:g}")
    return planner, planner.plan_experiment()["configurations"]["3d_fullres"]


def described(name, pairs):
    extractor = DatasetFingerprintExtractor(name, num_processes=1)
    extractor.show_progress_bar = False
    extractor.num_foreground_voxels_for_intensitystats = 1e4  # a plan's sizes do not depend on intensities
    fingerprint = extractor.run()
    with contextlib.redirect_stdout(io.StringIO()):
        planner, plan = plan_of(name, 8)
        _, unbounded = plan_of(name, UNLIMITED)
    # The fingerprint has the order of the sorted cases.
    sizes = [nibabel.load(image).shape[::-1] for _, image, _ in sorted(pairs)]
    cases = zip(sizes, fingerprint["shapes_after_crop"], fingerprint["spacings"])
    median = np.median(np.vstack(fingerprint["spacings"]), 0)
    target = planner.determine_fullres_target_spacing()
    worst = int(np.argmax(median))
    others = [axis for axis in range(3) if axis != worst]
    crops = np.median(np.vstack(fingerprint["shapes_after_crop"]), 0)
    threshold = planner.anisotropy_threshold
    is_thick, is_short = median[worst] > threshold * max(median[others]), crops[worst] * threshold < min(crops[others])
    assert list(planner.plans["transpose_forward"]) == [0, 1, 2]
    assert np.allclose(target, plan["spacing"])
    return {
        "cases": [plain([size, crop, [round(float(mm), 7) for mm in spacing]]) for size, crop, spacing in cases],
        "anisotropic": bool(is_thick and is_short), "spacing": [float(mm) for mm in plan["spacing"]],
        "median_size": plain(plan["median_image_size_in_voxels"]), "batch": int(plan["batch_size"]),
    } | network(plan) | {"unbounded": network(unbounded)}


def datasets(data):
    hippocampus = [(path.name[:-7], path, data / "hippocampus/labelsTr" / path.name)
                   for path in sorted((data / "hippocampus/imagesTr").glob("*.nii.gz"))]
    prostate = [(f"{path.parent.name}_{path.name[:6]}", path, path.parent / f"{path.name[:6]}_segmentation.nii.gz")
                for path in sorted((data / "prostate").glob("Site-*/Case??.nii.gz"))]
    return {
        "hippocampus": described(
            raw_data(1, "Hippocampus", hippocampus, "MRI", {"Anterior": 1, "Posterior": 2}), hippocampus),
        "prostate": described(
            raw_data(2, "Prostate", prostate, "T2", {"peripheral": 1, "central": 2}), prostate),
    }


def text(value):
    return json.dumps(value, separators=(",", ":")).replace("]],[[", "]],\n[[").replace("]],\"", "]],\n\"")


if __name__ == "__main__":
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(8)
    known = {"topologies": topologies(random), "windows": windows(random)}
    lines = {key: "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]"
             for key, rows in known.items()}
    (folder / "topologies.json").write_text("{" + ",\n".join(f'"{key}":{rows}' for key, rows in lines.items()) + "}\n")
    (folder / "datasets.json").write_text(text(datasets(pathlib.Path(sys.argv[1]))) + "\n")
