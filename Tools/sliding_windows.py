"""nnU-Net's sliding window over both passes of a reference network, for fixtures_windows.py and fixtures_windows3d.py.

Needs nnunetv2 2.8.1; the scripts say with what.
"""
import sys
import types
from unittest.mock import MagicMock

import torch

sys.modules["blosc2"] = MagicMock()  # nnU-Net imports it for compressed data, of which there are none here
from nnunetv2.inference import predict_from_raw_data as nnunet  # noqa: E402
from nnunetv2.inference.sliding_window_prediction import (  # noqa: E402, F401
    compute_gaussian, compute_steps_for_sliding_window)


def both_passes(net, images):
    """Logits of the first and of the final pass, [N, 2 + 2, ...]."""
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


def by_nnunet(net, images, window):
    """nnU-Net weighs and adds in half precision, which would hide differences; here in single precision."""
    predictor = nnunet.nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=False, perform_everything_on_device=False,
        device=torch.device("cpu"), allow_tqdm=False)
    predictor.network = Both(net)
    predictor.configuration_manager = types.SimpleNamespace(patch_size=list(window))
    predictor.label_manager = types.SimpleNamespace(num_segmentation_heads=4)
    half, torch.half = torch.half, torch.float32
    nnunet.compute_gaussian = lambda *a, **k: compute_gaussian(*a, **{**k, "dtype": torch.float32})
    try:
        return foreground(predictor.predict_sliding_window_return_logits(images))
    finally:
        torch.half = half


def gaussian(window):
    """nnU-Net's weights of a window, for MONAI, whose own have their centre between two voxels."""
    return compute_gaussian(window, 1 / 8, 1, torch.float32, torch.device("cpu"))
