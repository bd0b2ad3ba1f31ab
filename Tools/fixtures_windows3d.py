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
from unittest.mock import patch

import numpy as np
import safetensors.torch
import torch

sys.path.insert(0, sys.argv[1])
import dualnorm_torch as reference  # noqa: E402
from monai.inferers import sliding_window_inference  # noqa: E402
from sliding_windows import (  # noqa: E402
    both_passes, by_nnunet, compute_steps_for_sliding_window, foreground, gaussian)
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


def by_monai(net, image):
    logits = sliding_window_inference(
        image[None], WINDOW, 1, lambda x: both_passes(net, x), overlap=0.5, roi_weight_map=gaussian(WINDOW))
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
expected = {"uneven_nnunet": by_nnunet(net, white["uneven"], WINDOW), "even_monai": by_monai(net, white["even"])}
differences = (
    difference(expected["uneven_nnunet"], by_monai_at_places_of_nnunet(net, white["uneven"])),
    difference(expected["even_monai"], by_nnunet(net, white["even"], WINDOW)))
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
