"""Makes Tests/Fixtures/parity with PyTorch and the reference network (`make fixtures`).

    python Tools/fixtures.py REFERENCE_FOLDER [NAME ...]

Each configuration has a safetensors file. Weights are not stored: both sides draw them from the same seed, and samples of
them are compared. A large tensor is represented by 64 evenly spread elements and its L2 norm. Volumes have three
spatial axes; their network has a kernel for each level and a pooling between two.

The data are the first for which single precision agrees with double, and with which images agree that differ in their last
digits, as processors round differently. Another processor may choose other data. safetensors writes the metadata in a
random order.
"""
import json
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
import dualnorm_torch as reference  # noqa: E402
from transunet import TransUNet  # noqa: E402
from unet import AttentionUNet, UNet  # noqa: E402
from unet_plus_plus import NestedUNet  # noqa: E402
from vnet import VNet  # noqa: E402
from volumetric import DualNormUNet3D  # noqa: E402

FIXTURES = Path(__file__).parent.parent / "Tests" / "Fixtures" / "parity"
DUAL = ("inc", "down1", "down2", "down3")

# Networks by the first word of a name, after "volume-": the architecture, the class and options of its own. Other names
# are of the residual network.
NETWORKS = {
    "nested": ("unet++", NestedUNet, {}),
    "unet": ("unet", UNet, {}),
    "attention": ("attention-unet", AttentionUNet, {}),
    "vnet": ("vnet", VNet, {}),
    "transunet": ("transunet", TransUNet, dict(layers=2, heads=4)),
}

#        name               classes base norm  dual   mask   reduction channels height width
CONFIGURATIONS = [
    ("bn-plain",            2, 4, "BN", (), "soft", 2, 3, 48, 32),
    ("bn-soft",             2, 4, "BN", DUAL, "soft", 2, 3, 48, 32),
    ("bn-soft-3-classes",   3, 4, "BN", DUAL, "soft", 2, 3, 48, 32),
    ("bn-hard-3-classes",   3, 4, "BN", DUAL, "hard", 2, 3, 48, 32),
    ("bn-hard",             2, 4, "BN", DUAL, "hard", 2, 3, 48, 32),
    ("bn-odd-size",         2, 4, "BN", DUAL, "soft", 2, 3, 45, 37),
    ("bn-other-blocks",     3, 4, "BN", ("down4", "mid", "up1", "up4"), "soft", 4, 5, 48, 32),
    ("in-soft",             2, 4, "IN", DUAL, "soft", 2, 3, 48, 32),
    ("in-odd-size",         2, 4, "IN", DUAL, "hard", 2, 3, 53, 59),
    ("gn-soft",             2, 16, "GN", DUAL, "soft", 2, 3, 32, 32),
    ("gn-hard-3-classes",   3, 16, "GN", DUAL, "hard", 2, 3, 32, 16),
    ("ln-soft",             2, 4, "LN", DUAL, "soft", 2, 3, 48, 32),
    ("ln-hard-3-classes",   3, 4, "LN", DUAL, "hard", 2, 3, 48, 32),
    # UNet++
    ("nested-plain",        2, 4, "BN", (), "soft", 2, 3, 48, 32),
    ("nested-soft",         3, 4, "BN", ("x0_0", "x1_1", "x4_0", "x0_4"), "soft", 2, 3, 48, 32),
    # Other networks
    ("unet-plain",          2, 4, "BN", (), "soft", 2, 3, 45, 37),
    ("unet-soft",           3, 4, "BN", ("inc", "down2", "up4"), "soft", 2, 3, 48, 32),
    ("attention-soft",      2, 4, "BN", ("inc", "down3", "up1"), "soft", 2, 3, 45, 37),
    ("vnet-plain",          2, 4, "LN", (), "soft", 2, 3, 32, 32),
    ("vnet-soft",           3, 2, "BN", ("inc", "down2", "up4"), "soft", 2, 3, 32, 48),
    ("transunet-soft",      2, 4, "BN", ("inc", "down4", "mid", "up3"), "soft", 2, 3, 48, 32),
]

# Kernels and poolings (depth, height, width) of volumes.
PLANE, CUBE = (1, 3, 3), (3, 3, 3)
IN_PLANE, ALL = (1, 2, 2), (2, 2, 2)
TWO = ("inc", "down1")
OTHER = ("inc", "down1", "up2")
LOWEST = ("inc", "down1", "mid")  # with a depth of 4 and 1

#        name               classes base norm  dual   mask   reduction channels size    poolings    kernels     cap
VOLUMES = [
    ("volume-bn-plain",     2, 4, "BN", (), "soft", 2, 1, (16, 16, 16), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-bn-soft-3-classes", 3, 4, "BN", TWO, "soft", 4, 1, (8, 20, 16), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-anisotropic",  2, 4, "BN", OTHER, "soft", 2, 2, (6, 20, 16), (IN_PLANE, ALL), (PLANE, CUBE, CUBE), 320),
    ("volume-bn-hard",      2, 4, "BN", TWO, "hard", 2, 1, (10, 16, 16), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-in-soft",      2, 4, "IN", TWO, "soft", 2, 1, (8, 16, 16), (IN_PLANE, ALL, ALL),
     (PLANE, CUBE, CUBE, CUBE), 320),
    ("volume-gn-soft",      2, 16, "GN", TWO, "soft", 2, 1, (8, 16, 12), (ALL,), (CUBE,) * 2, 320),
    ("volume-ln-soft",      2, 4, "LN", LOWEST, "soft", 2, 1, (4, 20, 16), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-odd-size",     2, 4, "BN", TWO, "soft", 2, 1, (7, 13, 11), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-one-slice",    2, 4, "BN", TWO, "soft", 2, 1, (1, 32, 24), (IN_PLANE,) * 2, (PLANE, PLANE, CUBE), 320),
    # Widths 4, 8, 12, 12.
    ("volume-capped",       2, 4, "BN", ("down2", "up1"), "soft", 2, 1, (8, 16, 16), (ALL, ALL, IN_PLANE),
     (CUBE, CUBE, CUBE, PLANE), 12),
    # Other networks
    ("volume-unet-anisotropic", 2, 4, "IN", OTHER, "hard", 2, 2, (6, 20, 16), (IN_PLANE, ALL),
     (PLANE, CUBE, CUBE), 320),
    ("volume-attention",    2, 4, "BN", OTHER, "soft", 2, 1, (7, 13, 11), (ALL, ALL), (CUBE,) * 3, 320),
    ("volume-vnet",         2, 4, "BN", OTHER, "soft", 2, 1, (7, 16, 13), (IN_PLANE, ALL), (PLANE, CUBE, CUBE), 320),
    ("volume-transunet",    2, 16, "GN", ("inc", "mid"), "soft", 2, 1, (4, 10, 6), (ALL,), (CUBE,) * 2, 320),
]


def sample(tensor):
    """At most 64 evenly spread elements of a tensor in row-major order, then its L2 norm."""
    flat = tensor.detach().reshape(-1)
    stride = max(1, flat.numel() // 64)
    return torch.cat([flat[::stride][:64].float(), flat.float().norm().reshape(1)])


@contextmanager
def doubled():
    """The reference converts masks and counts with .float(), which a network in double precision cannot take."""
    keep, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    yield
    torch.Tensor.float = keep


def data(seed, classes, channels, size):
    """Two images of noise at two scales, and the labels that thresholds of their middle channel give."""
    generator = torch.Generator().manual_seed(seed)
    coarse, mode = ((5, 4), "bilinear") if len(size) == 2 else ((3, 5, 4), "trilinear")
    images = torch.randn(2, channels, *size, generator=generator)
    images += F.interpolate(torch.randn(2, channels, *coarse, generator=generator), size, mode=mode) * 2
    middle = images[:, channels // 2]
    return images, (middle > 0.7).long() + ((middle < -1).long() * 2 if classes > 2 else 0)


def passes(net, images, labels):
    """Logits, losses and gradients of both passes in training mode, without a step between them, and the prediction
    with the running statistics that they left."""
    result = {}
    logits = net(images)
    for name in ("first", "final") if net.dual_blocks else ("first",):
        if name == "final":
            net.zero_grad()
            logits = net(images, torch.softmax(logits.detach(), 1))
        loss, hard = reference.segmentation_loss(logits, labels, net.classes, weighted=name == "final")
        loss.backward()
        result[f"training/{name}/logits"] = logits.detach().clone()
        result[f"training/{name}/loss"] = torch.stack([loss.detach(), hard.to(loss.dtype)])
        for key, value in net.named_parameters():
            if value.grad is not None:
                result[f"training/{name}/gradient/{key}"] = value.grad.clone()
    first, final = reference.predict(net, images)
    return result | {"prediction/first": first, "prediction/final": final.clone()}


def iterations(net, images, labels):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = [reference.train_step(net, optimizer, images, labels) for _ in range(10)]
    return {"losses": torch.tensor(losses, dtype=images.dtype)}


def agree(exact, other):
    """Whether rounding changed nothing that matters: a ReLU that flips sign changes a gradient by per cents."""
    whole = sum(value.norm() ** 2 for key, value in exact.items() if "gradient" in key) ** 0.5
    for key, value in exact.items():
        difference = other[key].double() - value
        if "gradient" in key:  # the bias before a batch norm has gradient 0, of which rounding leaves something
            close = difference.norm() < 6e-5 * max(value.norm(), 1e-2 * whole)
        else:
            close = difference.abs().max() < 4e-5
        if not close:
            return False
    return True


def agree_in_single_precision(exact, run, layouts):
    """In both memory layouts, with one thread and with two, whose sums round differently."""
    for threads in (1, 2):
        torch.set_num_threads(threads)
        if not all(agree(exact, run(layout)) for layout in layouts):
            return False
    return True


def agree_beside(exact, run, images, count):
    """With images that differ by what changes logits as much as single precision does: no ReLU may be so near to 0."""
    for seed in range(count):
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        with doubled():
            if not agree(exact, run(images.double() + 5e-7 * noise)):
                return False
    return True


def make(name, classes, base, norm, dual, mask, reduction, channels, size, **volume):
    """Makes the file of a configuration. `volume` has what only volumes have: poolings, kernels and cap."""
    residual = (None, DualNormUNet3D if volume else reference.DualNormUNet, {})
    architecture, kind, options = NETWORKS.get(name.removeprefix("volume-").split("-")[0], residual)
    named = dict(architecture=architecture) if architecture else {}
    layouts = torch.contiguous_format, torch.channels_last_3d if volume else torch.channels_last
    fixed_size = size if norm == "LN" else None

    def network(dtype=torch.float32, layout=torch.contiguous_format):
        torch.manual_seed(7)
        net = kind(classes, base, channels, norm, dual, reduction, mask, fixed_size, **options, **volume).to(dtype)
        for parameter in net.parameters():
            if parameter.dim() == 2 + len(size):  # net.to(memory_format=...) refuses layer norms of volumes
                parameter.data = parameter.data.to(memory_format=layout)
        return net

    # The judge is double precision, on data for which single precision gives the same.
    for seed in range(11, 2000):
        images, labels = data(seed, classes, channels, size)
        with doubled():
            exact = passes(network(torch.float64), images.double(), labels)
        if not agree_in_single_precision(
                exact, lambda x: passes(network(layout=x), images.to(memory_format=x), labels), layouts):
            continue
        if not agree_beside(exact, lambda x: passes(network(torch.float64), x, labels), images, 8):
            continue
        with doubled():
            trained = iterations(network(torch.float64), images.double(), labels)
        if not agree_beside(trained, lambda x: iterations(network(torch.float64), x, labels), images, 4):
            continue
        if agree_in_single_precision(
                trained, lambda x: iterations(network(layout=x), images.to(memory_format=x), labels), layouts):
            break
    else:
        raise SystemExit(f"{name}: no well-conditioned data")
    print(name, "data seed", seed, flush=True)

    net = network()
    tensors = {"initial/" + key: sample(value) for key, value in net.state_dict().items()}
    tensors |= {"images": images, "labels": labels.to(torch.uint8)}
    tensors |= {key: sample(value) if "gradient" in key else value.float() for key, value in (exact | trained).items()}
    metadata = {"configuration": json.dumps(named | options | dict(
        classes=classes, input_channels=channels, width=base, norm=norm.lower(), dual_blocks=dual, mask=mask,
        reduction=reduction, size=fixed_size) | (dict(dimensions=3) | volume if volume else {})),
        "state": json.dumps([[key, list(value.shape)] for key, value in net.state_dict().items()]),
        "parameters": json.dumps([key for key, _ in net.named_parameters()])}
    save_file({key: value.contiguous() for key, value in tensors.items()}, FIXTURES / f"{name}.safetensors", metadata)


def is_wanted(name):
    return not sys.argv[2:] or name in sys.argv[2:]


FIXTURES.mkdir(parents=True, exist_ok=True)
for *configuration, height, width in CONFIGURATIONS:
    if is_wanted(configuration[0]):
        make(*configuration, (height, width))
for *configuration, poolings, kernels, cap in VOLUMES:
    if is_wanted(configuration[0]):
        make(*configuration, poolings=poolings, kernels=kernels, cap=cap)
