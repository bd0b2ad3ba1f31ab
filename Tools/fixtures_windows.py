"""Makes Tests/Fixtures/windows: the windows of nnU-Net and MONAI, and what a network says of volumes under them.

Runs from the repository's root with the folder of dualnorm_torch.py, after `make fixtures`:

    python Tools/fixtures_windows.py Tools/reference

Needs nnunetv2 2.8.1, acvl-utils, batchgenerators, batchgeneratorsv2 and dynamic-network-architectures (all --no-deps)
beside the environment of the other fixtures.
"""
import json
import pathlib
import sys

import nibabel
import numpy as np
import safetensors.torch
import torch

sys.path.insert(0, sys.argv[1])
import dualnorm_torch as reference  # noqa: E402
from monai.inferers import sliding_window_inference  # noqa: E402
from sliding_windows import (  # noqa: E402
    both_passes, by_nnunet, compute_gaussian, compute_steps_for_sliding_window, foreground, gaussian)

folder = pathlib.Path("Tests/Fixtures/windows")
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(7)


def starts():
    """[length, window, overlap in percent, starts], of 1,000 random axes."""
    rows = []
    for _ in range(1000):
        window = int(random.integers(1, 200))
        length = window + int(random.integers(0, 4 * window))
        overlap = int(random.choice([0, 25, 50, 75, 90]))
        steps = compute_steps_for_sliding_window((length,), (window,), (100 - overlap) / 100)[0]
        rows.append([length, window, overlap, [int(step) for step in steps]])
    return rows


def weights():
    """[sides, place, weight], one random place each of 1,000 random windows."""
    rows = []
    for _ in range(1000):
        sides = [int(side) for side in random.integers(1, 40, random.integers(2, 4))]
        map_ = compute_gaussian(tuple(sides), 1 / 8, 1, torch.float32, torch.device("cpu")).numpy()
        place = [int(random.integers(side)) for side in sides]
        rows.append([sides, place, float(map_[tuple(place)])])
    return rows


def network():
    net = reference.DualNormUNet(2, base=2, dual_blocks=["inc", "down1", "down2", "down3"])
    net.load_state_dict(torch.load("Tests/Fixtures/commands/reference.pth", weights_only=True))
    return net.eval()


def network_input(name):
    """[3, z, H, W]: whitened, the neighbours of a slice as channels, the edge repeated in z."""
    voxels = nibabel.load(f"Tests/Fixtures/commands/{name}").get_fdata().transpose(2, 1, 0)
    white = (voxels - voxels.mean()) / voxels.std()
    padded = np.pad(white, [(1, 1), (0, 0), (0, 0)], mode="edge")
    return torch.from_numpy(np.stack([padded[:-2], padded[1:-1], padded[2:]]).astype(np.float32))


def by_monai(net, images, size):
    slices = images.transpose(0, 1)
    logits = sliding_window_inference(
        slices, size, 4, lambda x: both_passes(net, x), overlap=0.5, roi_weight_map=gaussian(size))
    return foreground(logits.transpose(0, 1))


net, size = network(), (32, 32)
even, large = network_input("even.nii"), network_input("large.nii.gz")
expected = {
    "even_nnunet": by_nnunet(net, even, size), "even_monai": by_monai(net, even, size),
    "large_nnunet": by_nnunet(net, large, size),
}
print("nnU-Net and MONAI differ by", (expected["even_nnunet"] - expected["even_monai"]).abs().max().item())
safetensors.torch.save_file(expected, folder / "expected.safetensors")
(folder / "expected.safetensors").chmod(0o644)
text = json.dumps({"starts": starts(), "weights": weights()}, separators=(",", ":"))
(folder / "windows.json").write_text(text.replace("]],[", "]],\n[").replace("],[[", "],\n[["))
