"""Makes Tests/Fixtures/commands: a checkpoint by PyTorch, three volumes, and what the reference network says of them.

`make fixtures` runs it from the repository's root with the folder of dualnorm_torch.py:

    python Tools/fixtures_commands.py Tools/reference
"""
import gzip
import io
import pathlib
import sys

import nibabel
import numpy as np
import safetensors.torch
import torch

sys.path.insert(0, sys.argv[1])
import dualnorm_torch as reference  # noqa: E402

folder = pathlib.Path("Tests/Fixtures/commands")
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(3)
torch.set_num_threads(1)
random = np.random.default_rng(3)


def scan(x, y, z):
    """A bright and a dim ellipsoid on a slanted, noisy background, [z, y, x]; and where the bright one is."""
    k, j, i = np.mgrid[0:z, 0:y, 0:x].astype(float)

    def inside(center, radii):
        offsets = zip((k, j, i), center, radii)
        return sum(((axis - c) / r) ** 2 for axis, c, r in offsets) < 1

    bright = inside((z / 2, y * 0.4, x * 0.55), (z * 0.6, y * 0.22, x * 0.3))
    dim = inside((z / 2, y * 0.75, x * 0.3), (z, y * 0.12, x * 0.2))
    voxels = 400 + 3 * i - j + 220 * bright - 90 * dim + random.normal(0, 110, bright.shape)
    return voxels.astype(np.float32), bright


def network_input(voxels, multiple=1):
    """[z, 3, H, W] as the network takes it: whitened, padded to multiples and in z by repeating the edge."""
    voxels = voxels.astype(np.float64)
    white = (voxels - voxels.mean()) / voxels.std()
    margins = [(missing // 2, missing - missing // 2) for missing in (-side % multiple for side in voxels.shape[1:])]
    padded = np.pad(white, [(1, 1), *margins], mode="edge")
    stacks = np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1)
    return torch.from_numpy(stacks.astype(np.float32)), margins


def trained(volumes):
    """A small network after a few steps, so that no running statistic and no weight is trivial."""
    net = reference.DualNormUNet(2, base=2, dual_blocks=["inc", "down1", "down2", "down3"])
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-2)
    for _ in range(12):
        for voxels, truth in volumes:
            images, margins = network_input(voxels, multiple=16)
            labels = torch.from_numpy(np.pad(truth, [(0, 0), *margins]).astype(np.int64))
            reference.train_step(net, optimizer, images, labels)
    return net


def probabilities(net, voxels):
    """Of the foreground, first and final pass, [2, z, y, x], of slices as they are."""
    images, _ = network_input(voxels)
    return torch.stack([p[:, 1] for p in reference.predict(net, images)]).contiguous()


def write_nifti(name, voxels, spacing, angles):
    """Oblique; without the time of writing, so that the bytes are the same each time."""
    a, b = np.deg2rad(angles)
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn_z @ turn_x @ np.diag([-1, -1, 1]) @ np.diag(spacing)
    affine[:3, 3] = [31.7, -12.25, 55.1]
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    data = image.to_bytes()
    (folder / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)


volumes = {"even": scan(32, 48, 5), "odd": scan(37, 45, 4)}
net = trained(volumes.values())
volumes["large"] = scan(52, 71, 3)
buffer = io.BytesIO()
torch.save(net.state_dict(), buffer)
(folder / "reference.pth").write_bytes(buffer.getvalue())
write_nifti("even.nii", volumes["even"][0], (0.625, 0.8, 3.6), (11, 7))
write_nifti("odd.nii.gz", volumes["odd"][0], (1.1, 0.9, 2.5), (-23, 4))
write_nifti("large.nii.gz", volumes["large"][0], (0.9, 0.9, 3), (0, 0))
expected = {name: probabilities(net, voxels) for name, (voxels, _) in volumes.items()}
safetensors.torch.save_file(expected, folder / "expected.safetensors")
(folder / "expected.safetensors").chmod(0o644)
for name, (_, truth) in volumes.items():
    first, final = expected[name].numpy()
    overlap = [2 * (p > 0.5)[truth].sum() / ((p > 0.5).sum() + truth.sum()) for p in (first, final)]
    print(name, "Dice", overlap, "passes differ by", abs(first - final).mean(), abs(first - final).max())
