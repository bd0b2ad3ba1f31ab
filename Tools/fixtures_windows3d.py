"""Makes Tests/Fixtures/windows/volumes.safetensors: what a 3-D network says of volumes under the windows of nnU-Net and
MONAI.

Runs from the repository's root with the folder of volumetric.py:

    python Tools/fixtures_windows3d.py Tools/reference

Needs what fixtures_windows.py needs, and threadpoolctl, scikit-image, lazy-loader, imageio and tqdm (all --no-deps).

    uneven, even       volumes, uint8 [z, y, x]
    uneven_nnunet, even_monai
                       probabilities of the foreground, first and final pass, float32 [2, z, y, x]
    weights/NAME       the network's state

The metadata have the network's configuration and the window. The final pass of a window has the first pass of the same
window as its mask. Logits of windows are averaged, then their probabilities taken. nnU-Net and MONAI place windows
alike only in `even`. For `uneven`, MONAI joins windows at nnU-Net's places for comparison. The file is written
where both agree within 1e-5.
"""
import json
import pathlib
import sys
import types
from unittest.mock import MagicMock, patch

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
from volumetric import DualNormUNet3D  # noqa: E402

file = pathlib.Path("Tests/Fixtures/windows/volumes.safetensors")
WINDOW = (8, 16, 16)
SIZES = {"uneven": (13, 37, 29), "even": (12, 32, 24)}
STRUCTURE = dict(poolings=((1, 2, 2), (2, 2, 2)), kernels=((1, 3, 3), (3, 3, 3), (1, 3, 3)))
CLASSES, WIDTH, BLOCKS = 2, 4, ("inc", "down1")
TOLERANCE = 1e-5


def volume(seed, size):
    """Noise at two scales, uint8."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 1, *size, generator=generator)
    coarse = torch.randn(1, 1, 3, 5, 4, generator=generator)
    noise += 2 * torch.nn.functional.interpolate(coarse, size, mode="trilinear")
    return (128 + 25 * noise[0, 0]).round().clamp(0, 255).to(torch.uint8)


def whitened(voxels):
    """[1, z, y, x] as the program sees it."""
    values = voxels.numpy().astype(np.float64)
    return torch.from_numpy(((values - values.mean()) / values.std()).astype(np.float32))[None]


def network():
    """Trained for a few steps, so that statistics are not their initial ones and the passes differ."""
    torch.manual_seed(3)
    net = DualNormUNet3D(CLASSES, WIDTH, 1, dual_blocks=BLOCKS, **STRUCTURE)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(30):
        images = torch.stack([whitened(volume(100 + 2 * step + row, WINDOW)) for row in range(2)])
        reference.train_step(net, optimizer, images, (images[:, 0] > 0.3).long())
    return net.eval()


def both_passes(net, images):
    """Logits of the first and of the final pass, [N, 2 + 2, z, y, x]."""
    with torch.no_grad():
        first = net(images)
        return torch.cat([first, net(images, first.softmax(1))], 1)


class Both(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        return both_passes(self.net, images)


def foreground(logits):
    """[4, z, y, x] -> probabilities of the foreground, first and final pass, [2, z, y, x]."""
    return torch.stack([logits[:2].softmax(0)[1], logits[2:].softmax(0)[1]]).float().contiguous()


def by_nnunet(net, image):
    """nnU-Net weighs and adds in half precision, which would hide differences; here in single precision."""
    predictor = nnunet.nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=False, perform_everything_on_device=False,
        device=torch.device("cpu"), allow_tqdm=False)
    predictor.network = Both(net)
    predictor.configuration_manager = types.SimpleNamespace(patch_size=list(WINDOW))
    predictor.label_manager = types.SimpleNamespace(num_segmentation_heads=4)
    half, torch.half = torch.half, torch.float32
    nnunet.compute_gaussian = lambda *a, **k: compute_gaussian(*a, **{**k, "dtype": torch.float32})
    try:
        return foreground(predictor.predict_sliding_window_return_logits(image))
    finally:
        torch.half = half


def by_monai(net, image):
    """MONAI's own Gaussian has its centre between two voxels, so it gets that of nnU-Net."""
    weights = compute_gaussian(WINDOW, 1 / 8, 1, torch.float32, torch.device("cpu"))
    logits = sliding_window_inference(
        image[None], WINDOW, 1, lambda x: both_passes(net, x), overlap=0.5, roi_weight_map=weights)
    return foreground(logits[0])


def by_monai_at_places_of_nnunet(net, image):
    def places(size, window, *_, **__):
        steps = compute_steps_for_sliding_window(tuple(size), tuple(window), 0.5)
        return [tuple(slice(start, start + side) for start, side in zip((z, y, x), window))
                for z in steps[0] for y in steps[1] for x in steps[2]]

    with patch("monai.inferers.utils.dense_patch_slices", places):
        return by_monai(net, image)


def difference(a, b):
    return (a - b).abs().max().item()


torch.set_num_threads(1)
net = network()
volumes = {name: volume(seed, size) for seed, (name, size) in enumerate(SIZES.items())}
white = {name: whitened(voxels) for name, voxels in volumes.items()}
expected = {"uneven_nnunet": by_nnunet(net, white["uneven"]), "even_monai": by_monai(net, white["even"])}
differences = (
    difference(expected["uneven_nnunet"], by_monai_at_places_of_nnunet(net, white["uneven"])),
    difference(expected["even_monai"], by_nnunet(net, white["even"])))
print("nnU-Net and MONAI differ by", *differences)
print("MONAI's own places differ by", difference(expected["uneven_nnunet"], by_monai(net, white["uneven"])))
print("the passes differ by", [difference(*values) for values in expected.values()])
if max(differences) >= TOLERANCE:
    raise SystemExit("nnU-Net and MONAI disagree.")
weights = {"weights/" + key: value.contiguous() for key, value in net.state_dict().items()}
configuration = dict(
    classes=CLASSES, input_channels=1, width=WIDTH, norm="bn", dual_blocks=BLOCKS, mask="soft", reduction=2,
    dimensions=3, cap=320, **STRUCTURE)
metadata = {"configuration": json.dumps(configuration), "window": json.dumps(WINDOW)}
safetensors.torch.save_file(volumes | expected | weights, file, metadata)
file.chmod(0o644)
