"""Makes Tests/Fixtures/windows: the windows of nnU-Net and MONAI, and what a network says of volumes under them.

`make fixtures` runs it from the repository's root with the folder of dualnorm_torch.py, after fixtures_commands.py:

    python Tools/fixtures_windows.py Tools/reference

Needs nnunetv2 2.8.1, acvl-utils, batchgenerators, batchgeneratorsv2 and dynamic-network-architectures (all --no-deps)
beside the environment of the other fixtures.
"""
import json
import pathlib
import sys
import types
from unittest.mock import MagicMock

import nibabel
import numpy as np
import safetensors.torch
import torch

sys.path.insert(0, sys.argv[1])
sys.modules["blosc2"] = MagicMock()  # nnU-Net imports it for compressed data, of which there are none here
import dualnorm_torch as reference  # noqa: E402
from monai.inferers import sliding_window_inference  # noqa: E402
from nnunetv2.inference import predict_from_raw_data as nnunet  # noqa: E402
from nnunetv2.inference.sliding_window_prediction import (  # noqa: E402
    compute_gaussian, compute_steps_for_sliding_window)

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


def both_passes(net, images):
    """Logits of the first and of the final pass, [N, 2 + 2, H, W]."""
    with torch.no_grad():
        first = net(images)
        return torch.cat([first, net(images, first.softmax(1))], 1)


def network_input(name):
    """[3, z, H, W]: whitened, the neighbours of a slice as channels, the edge repeated in z."""
    voxels = nibabel.load(f"Tests/Fixtures/commands/{name}").get_fdata().transpose(2, 1, 0)
    white = (voxels - voxels.mean()) / voxels.std()
    padded = np.pad(white, [(1, 1), (0, 0), (0, 0)], mode="edge")
    return torch.from_numpy(np.stack([padded[:-2], padded[1:-1], padded[2:]]).astype(np.float32))


def foreground(logits):
    """[4, z, H, W] -> probabilities of the foreground, first and final pass, [2, z, H, W]."""
    return torch.stack([logits[:2].softmax(0)[1], logits[2:].softmax(0)[1]]).float().contiguous()


def by_nnunet(net, images, size):
    """nnU-Net weighs and adds in half precision, which would hide differences; here in single precision."""
    predictor = nnunet.nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=False, perform_everything_on_device=False,
        device=torch.device("cpu"), allow_tqdm=False)
    predictor.network = Both(net)
    predictor.configuration_manager = types.SimpleNamespace(patch_size=list(size))
    predictor.label_manager = types.SimpleNamespace(num_segmentation_heads=4)
    half, torch.half = torch.half, torch.float32
    nnunet.compute_gaussian = lambda *a, **k: compute_gaussian(*a, **{**k, "dtype": torch.float32})
    try:
        return foreground(predictor.predict_sliding_window_return_logits(images))
    finally:
        torch.half = half


class Both(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        return both_passes(self.net, images)


def by_monai(net, images, size):
    """MONAI's own Gaussian has its centre between two pixels, so it gets that of nnU-Net."""
    slices = images.transpose(0, 1)
    weights = compute_gaussian(size, 1 / 8, 1, torch.float32, torch.device("cpu"))
    logits = sliding_window_inference(
        slices, size, 4, lambda x: both_passes(net, x), overlap=0.5, roi_weight_map=weights)
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
