"""The reference network: DualNorm-UNet in plain PyTorch, with its losses, training step and prediction.

The method is by J. Xiao, L. Yu, L. Xing, A. Yuille and Y. Zhou, "DualNorm-UNet: Incorporating Global and Local Statistics
for Robust Medical Image Segmentation" (arXiv 2103.15858). This file is written for this repository. The tests and benchmarks
compare the Swift program with it (Tools/fixtures.py, Tools/fixtures_commands.py, Tools/bench.py, Tools/bench_files.py).

Parameters have the names and shapes of the authors' published checkpoints, so a state_dict loads in either network.
The width is free; `base=32` is the published network. volumetric.py has the network for volumes, whose losses, training
step and prediction are the ones here.

The network is a pre-activation residual U-Net. It takes [N, 3, H, W], a slice between its two neighbours. It returns
logits [N, classes, H, W] of the middle slice.
    inc     1x1 conv -> block
    downK   max-pool 2 -> 3x3 conv (doubles the channels) -> block         K = 1..4
    mid     block
    upK     norm, ReLU, transposed 3x3 conv stride 2 (halves the channels), pad to the skip's size,
            concatenate [skip, upsampled], 3x3 conv -> block               K = 1..4
    outc    norm, ReLU, 1x1 conv
    block   x + conv(ReLU(norm_1(conv(ReLU(norm_0(x))))))
A block named in `dual_blocks` has a second pair of norms, norm_0_aux and norm_1_aux. They replace norm_0 and norm_1 in
the final pass, which is given a class mask.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

BLOCKS = ["inc", "down1", "down2", "down3", "down4", "mid", "up1", "up2", "up3", "up4"]


def plain_norm(kind, channels, size=None):
    """A norm without a mask. LN needs the block's `size` (height, width), because its affine parameters are [C, H, W]."""
    if kind == "BN":
        return nn.BatchNorm2d(channels)
    if kind == "IN":
        return nn.InstanceNorm2d(channels)
    if kind == "GN":
        return nn.GroupNorm(16, channels)
    if kind == "LN":
        return nn.LayerNorm([channels, *size])
    raise ValueError(kind)


class DualNorm(nn.Module):
    """Batch normalization without affine parameters, then a scale and a shift of each pixel, predicted from the mask."""

    def __init__(self, channels, classes, reduction=2, mask="soft"):
        super().__init__()
        hidden = channels // reduction
        self.param_free_norm = nn.BatchNorm2d(channels, affine=False)
        self.mlp_shared = nn.Sequential(nn.Conv2d(classes, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mask = mask

    def forward(self, x, mask):
        if self.mask == "soft":
            mask = F.interpolate(mask.float(), size=x.shape[2:], mode="bilinear", align_corners=True)
        else:
            mask = F.interpolate(mask.float(), size=x.shape[2:], mode="nearest")
        hidden = self.mlp_shared(mask)
        return self.param_free_norm(x) * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)


class Block(nn.Module):
    def __init__(self, channels, classes, norm, size, dual, reduction, mask):
        super().__init__()
        self.norm_0, self.norm_1 = plain_norm(norm, channels, size), plain_norm(norm, channels, size)
        self.dual = dual
        if dual:
            self.norm_0_aux = DualNorm(channels, classes, reduction, mask)
            self.norm_1_aux = DualNorm(channels, classes, reduction, mask)
        self.conv_0 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_1 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, mask=None):
        if self.dual and mask is not None:
            y = self.conv_0(F.relu(self.norm_0_aux(x, mask)))
            return x + self.conv_1(F.relu(self.norm_1_aux(y, mask)))
        y = self.conv_0(F.relu(self.norm_0(x)))
        return x + self.conv_1(F.relu(self.norm_1(y)))


class In(nn.Module):
    def __init__(self, cin, cout, **kw):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(cin, cout, 1))
        self.block = Block(cout, **kw)

    def forward(self, x, mask=None):
        return self.block(self.conv(x), mask)


class Down(nn.Module):
    def __init__(self, cin, cout, **kw):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(cin, cout, 3, padding=1))
        self.block = Block(cout, **kw)

    def forward(self, x, mask=None):
        return self.block(self.maxpool_conv(x), mask)


class Mid(nn.Module):
    def __init__(self, channels, **kw):
        super().__init__()
        self.block = Block(channels, **kw)

    def forward(self, x, mask=None):
        return self.block(x, mask)


class UpSample(nn.Module):
    def __init__(self, cin, norm, size):
        super().__init__()
        self.up = nn.Sequential(plain_norm(norm, cin, size), nn.ReLU(),
                                nn.ConvTranspose2d(cin, cin // 2, 3, stride=2, padding=1, output_padding=1))

    def forward(self, x):
        return self.up(x)


class Up(nn.Module):
    def __init__(self, cin, cout, norm, size, **kw):
        super().__init__()
        self.up = UpSample(cin, norm, (size[0] // 2, size[1] // 2) if size else None)
        self.conv = nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1))
        self.block = Block(cout, norm=norm, size=size, **kw)

    def forward(self, x, skip, mask=None):
        x = self.up(x)
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.block(self.conv(torch.cat([skip, x], dim=1)), mask)


class Out(nn.Module):
    def __init__(self, cin, classes, norm, size):
        super().__init__()
        self.conv = nn.Sequential(plain_norm(norm, cin, size), nn.ReLU(), nn.Conv2d(cin, classes, 1))

    def forward(self, x):
        return self.conv(x)


class DualNormUNet(nn.Module):
    def __init__(self, classes, base=32, channels=3, norm="BN", dual_blocks=(), reduction=2, mask="soft", size=None):
        super().__init__()
        self.classes, self.dual_blocks = classes, tuple(dual_blocks)
        w = [base * 2 ** i for i in range(5)]

        def kw(name, level):
            s = (size[0] >> level, size[1] >> level) if size else None
            return dict(classes=classes, norm=norm, size=s, dual=name in dual_blocks, reduction=reduction, mask=mask)

        self.inc = In(channels, w[0], **kw("inc", 0))
        for i in range(1, 5):
            setattr(self, f"down{i}", Down(w[i - 1], w[i], **kw(f"down{i}", i)))
        self.mid = Mid(w[4], **kw("mid", 4))
        for i in range(1, 5):
            setattr(self, f"up{i}", Up(w[5 - i], w[4 - i], **kw(f"up{i}", 4 - i)))
        self.outc = Out(w[0], classes, norm, size)

    def forward(self, x, mask=None):
        x1 = self.inc(x, mask)
        x2 = self.down1(x1, mask)
        x3 = self.down2(x2, mask)
        x4 = self.down3(x3, mask)
        x = self.mid(self.down4(x4, mask), mask)
        x = self.up1(x, x4, mask)
        x = self.up2(x, x3, mask)
        x = self.up3(x, x2, mask)
        x = self.up4(x, x1, mask)
        return self.outc(x)


def dice_loss(logits, target, classes):
    """Soft and hard Dice loss of logits [N, C, H, W] or [N, C, D, H, W] against labels without the axis C.

    With two classes the soft loss takes a Dice for each image and class, then their mean. With more classes it takes one
    Dice for each class over the whole batch, with squared cardinalities, then their mean. The hard loss is always over the
    batch. Numerator and denominator are smoothed by 1e-6.
    """
    space = tuple(range(2, logits.dim()))
    batch = (0, *space)
    p = torch.softmax(logits, dim=1)
    t = F.one_hot(target, classes).movedim(-1, 1).contiguous()
    if classes == 2:
        num, den = (p * t).sum(space), p.sum(space) + t.sum(space)
    else:
        num, den = (p * t).sum(batch), (p * p).sum(batch) + (t * t).sum(batch)
    soft = 1 - ((2 * num + 1e-6) / (den + 1e-6)).mean()
    h = F.one_hot(p.argmax(1), classes).movedim(-1, 1)
    hard = 1 - ((2 * (h * t).sum(batch) + 1e-6) / ((h + t).sum(batch) + 1e-6)).mean()
    return soft, hard


def cross_entropy(logits, target, classes, weighted=False):
    """Mean over pixels of -w_c log(clamp(p_c, 0.005, 1)). w_c is 1, or if weighted 1 - the share of class c in the batch."""
    space = tuple(range(2, logits.dim()))
    p = torch.softmax(logits, dim=1)
    t = F.one_hot(target, classes).movedim(-1, 1).contiguous()
    w = (1 - t.sum((0, *space)).float() / t.sum().float()).view(1, classes, *(1 for _ in space)) if weighted else 1
    return -(w * t * torch.log(p.clamp(min=0.005, max=1))).sum(1).mean()


def segmentation_loss(logits, target, classes, weighted=False):
    soft, hard = dice_loss(logits, target, classes)
    return (soft if classes == 2 else soft + cross_entropy(logits, target, classes, weighted)), hard


def train_step(net, optimizer, images, target, weighted=False):
    """Runs one iteration and returns the loss of each pass that ran.

    Without dual blocks there is one pass: gradients are clipped to [-0.1, 0.1] by value, and Adam takes one step.
    With dual blocks the first pass (plain norms) takes an unclipped step of its own. Its detached softmax is the mask
    of the final pass, whose step is clipped as above.
    """
    net.train()
    logits = net(images)
    loss, _ = segmentation_loss(logits, target, net.classes, weighted)
    losses = [loss.item()]
    if net.dual_blocks:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mask = torch.softmax(logits.detach(), dim=1)
        loss, _ = segmentation_loss(net(images, mask), target, net.classes, weighted)
        losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(net.parameters(), 0.1)
    optimizer.step()
    return losses


@torch.no_grad()
def predict(net, images):
    """Class probabilities of the first and the final pass, shaped as logits; they are the same without dual blocks."""
    net.eval()
    first = torch.softmax(net(images), dim=1)
    return first, (torch.softmax(net(images, first), dim=1) if net.dual_blocks else first)
