"""Makes Tests/Fixtures/parity with PyTorch and the reference network: python Tools/fixtures.py ORACLE_FOLDER

One safetensors file a configuration. Weights are not stored: both sides draw them from the same seed, and samples of
them are compared. Of a large tensor only 64 evenly spread elements and the L2 norm are kept.
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
import dualnorm_torch as oracle  # noqa: E402

FIXTURES = Path(__file__).parent.parent / "Tests" / "Fixtures" / "parity"
DUAL = ("inc", "down1", "down2", "down3")

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
    ("in-odd-size",         3, 4, "IN", DUAL, "hard", 2, 3, 45, 37),
    ("gn-soft",             2, 16, "GN", DUAL, "soft", 2, 3, 48, 32),
    ("gn-hard-3-classes",   3, 16, "GN", DUAL, "hard", 2, 3, 48, 32),
    ("ln-soft",             2, 4, "LN", DUAL, "soft", 2, 3, 48, 32),
    ("ln-hard-3-classes",   3, 4, "LN", DUAL, "hard", 2, 3, 48, 32),
]


def sample(tensor):
    """At most 64 evenly spread elements of a tensor in row-major order, then its L2 norm."""
    flat = tensor.detach().reshape(-1)
    stride = max(1, flat.numel() // 64)
    return torch.cat([flat[::stride][:64].float(), flat.float().norm().reshape(1)])


def make(name, classes, base, norm, dual, mask, reduction, channels, height, width):
    def network():
        torch.manual_seed(7)
        return oracle.DualNormUNet(classes, base, channels, norm, dual, reduction, mask,
                                   (height, width) if norm == "LN" else None)

    tensors = {}
    net = network()
    for key, value in net.state_dict().items():
        tensors["initial/" + key] = sample(value)
    generator = torch.Generator().manual_seed(11)
    images = torch.randn(2, channels, height, width, generator=generator)
    images += F.interpolate(torch.randn(2, channels, 5, 4, generator=generator), (height, width), mode="bilinear") * 2
    labels = (images[:, channels // 2] > 0.7).long() + ((images[:, channels // 2] < -1).long() * 2 if classes > 2 else 0)
    tensors |= {"images": images, "labels": labels.to(torch.uint8)}

    # Both passes in training mode and their gradients, without a step between them.
    logits = net(images)
    tensors["training/first/logits"] = logits.detach().clone()
    loss, hard = oracle.segmentation_loss(logits, labels, classes)
    tensors["training/first/loss"] = torch.stack([loss.detach(), hard.float()])
    loss.backward()
    for key, value in net.named_parameters():
        if value.grad is not None:
            tensors["training/first/gradient/" + key] = sample(value.grad)
    if dual:
        net.zero_grad()
        logits = net(images, torch.softmax(logits.detach(), 1))
        tensors["training/final/logits"] = logits.detach().clone()
        loss, hard = oracle.segmentation_loss(logits, labels, classes, weighted=True)
        tensors["training/final/loss"] = torch.stack([loss.detach(), hard.float()])
        loss.backward()
        for key, value in net.named_parameters():
            if value.grad is not None:
                tensors["training/final/gradient/" + key] = sample(value.grad)

    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = [oracle.train_step(net, optimizer, images, labels) for _ in range(10)]
    tensors["losses"] = torch.tensor(losses)
    first, final = oracle.predict(net, images)
    tensors["prediction/first"], tensors["prediction/final"] = first, final.clone()

    metadata = {"configuration": json.dumps(dict(
        classes=classes, inputChannels=channels, width=base, norm=norm.lower(), dualBlocks=dual, maskKind=mask,
        reduction=reduction, size=dict(height=height, width=width) if norm == "LN" else None)),
        "state": json.dumps([[key, list(value.shape)] for key, value in net.state_dict().items()]),
        "parameters": json.dumps([key for key, _ in net.named_parameters()])}
    save_file({key: value.contiguous() for key, value in tensors.items()}, FIXTURES / f"{name}.safetensors", metadata)


FIXTURES.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(2)
for configuration in CONFIGURATIONS:
    make(*configuration)
    print(configuration[0])
