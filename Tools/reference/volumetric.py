"""The reference network for volumes: DualNorm-UNet with three spatial axes in plain PyTorch.

No published 3-D DualNorm was found. This one is this project's, made of the 2-D method of dualnorm_torch.py. Losses,
training step and prediction are those of that file, and so are the forward passes of blocks; layers differ.

Tensors are [N, C, D, H, W]. The network takes [N, channels, D, H, W] and returns logits [N, classes, D, H, W].
Parameters have the names of the 2-D network and are created in its order. A level is not always half the size of the
level above, and the number of levels is free:
    kernels[i]   the kernel (d, h, w) of level i, each 1 or 3; the padding keeps the size
    poolings[i]  the stride (d, h, w) from level i to level i + 1, each 1 or 2
    width        base * 2^i channels at level i, at most `cap`

With L = len(poolings), the blocks are inc, down1, ..., downL, mid, up1, ..., upL:
    inc     1x1x1 conv -> block of level 0
    downK   max-pool poolings[K - 1] -> conv of level K -> block of level K
    mid     block of level L
    upK     from level i + 1 to level i = L - K: norm, ReLU, transposed conv to the width of level i, pad to the skip's
            size, concatenate [skip, upsampled], conv of level i -> block of level i
    outc    norm, ReLU, 1x1x1 conv
    block   x + conv(ReLU(norm_1(conv(ReLU(norm_0(x))))))
Where an axis has stride 2, the transposed conv has kernel 3, padding 1 and output padding 1. Where it has stride 1, the
kernel is 1. A block named in `dual_blocks` has the dual norms norm_0_aux and norm_1_aux, for the pass with a mask.

Volumes of one slice, kernels 1x3x3, four poolings 1x2x2 and no cap make the 2-D network, with equal weights of a seed.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import dualnorm_torch as planar


def block_names(poolings):
    """Names of all blocks, in the order in which they run."""
    steps = range(1, len(poolings) + 1)
    return ["inc", *(f"down{i}" for i in steps), "mid", *(f"up{i}" for i in steps)]


def convolution(cin, cout, kernel):
    """A convolution that keeps the size."""
    return nn.Conv3d(cin, cout, kernel, padding=tuple(k // 2 for k in kernel))


def plain_norm(kind, channels, size=None):
    """A norm without a mask. LN needs the level's `size` (D, H, W), because its affine parameters are [C, D, H, W]."""
    if kind == "BN":
        return nn.BatchNorm3d(channels)
    if kind == "IN":
        return nn.InstanceNorm3d(channels)
    return planar.plain_norm(kind, channels, size)


class DualNorm3D(nn.Module):
    """Batch normalization without affine parameters, then a scale and a shift of each voxel, predicted from the mask.

        y = BN(x) * (1 + gamma(m)) + beta(m)
        BN(x) = (x - mean) / sqrt(variance + 1e-5)    statistics of a channel over N x D x H x W
        m = the mask [N, K, D', H', W'], resized to D x H x W
        h = ReLU(conv(m))    K -> C / reduction channels
        gamma(m) = conv(h), beta(m) = conv(h)    C channels each

    All three convolutions have the kernel of the level. A soft mask is resized trilinearly with aligned corners: on an
    axis, voxel i of n reads position i * (n' - 1) / (n - 1), and position 0 where n is 1. A hard mask is resized to the
    nearest voxel, floor(i * n' / n).
    """

    def __init__(self, channels, classes, kernel, reduction=2, mask="soft"):
        super().__init__()
        hidden = channels // reduction
        self.param_free_norm = nn.BatchNorm3d(channels, affine=False)
        self.mlp_shared = nn.Sequential(convolution(classes, hidden, kernel), nn.ReLU())
        self.mlp_gamma = convolution(hidden, channels, kernel)
        self.mlp_beta = convolution(hidden, channels, kernel)
        self.mask = mask

    def forward(self, x, mask):
        if self.mask == "soft":
            mask = F.interpolate(mask.float(), size=x.shape[2:], mode="trilinear", align_corners=True)
        else:
            mask = F.interpolate(mask.float(), size=x.shape[2:], mode="nearest")
        hidden = self.mlp_shared(mask)
        return self.param_free_norm(x) * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)


class Block(planar.Block):
    def __init__(self, channels, kernel, classes, norm, size, dual, reduction, mask):
        nn.Module.__init__(self)
        self.norm_0, self.norm_1 = plain_norm(norm, channels, size), plain_norm(norm, channels, size)
        self.dual = dual
        if dual:
            self.norm_0_aux = DualNorm3D(channels, classes, kernel, reduction, mask)
            self.norm_1_aux = DualNorm3D(channels, classes, kernel, reduction, mask)
        self.conv_0 = convolution(channels, channels, kernel)
        self.conv_1 = convolution(channels, channels, kernel)


class In(planar.In):
    def __init__(self, cin, cout, **kw):
        nn.Module.__init__(self)
        self.conv = nn.Sequential(nn.Conv3d(cin, cout, 1))
        self.block = Block(cout, **kw)


class Down(planar.Down):
    def __init__(self, cin, cout, pooling, kernel, **kw):
        nn.Module.__init__(self)
        self.maxpool_conv = nn.Sequential(nn.MaxPool3d(pooling), convolution(cin, cout, kernel))
        self.block = Block(cout, kernel, **kw)


class Mid(planar.Mid):
    def __init__(self, channels, **kw):
        nn.Module.__init__(self)
        self.block = Block(channels, **kw)


class UpSample(planar.UpSample):
    """The norm, ReLU and transposed convolution that undo a pooling; `size` is that of the level below."""

    def __init__(self, cin, cout, pooling, norm, size):
        nn.Module.__init__(self)
        kernel = tuple(2 * stride - 1 for stride in pooling)
        padding = tuple(stride - 1 for stride in pooling)
        self.up = nn.Sequential(plain_norm(norm, cin, size), nn.ReLU(),
                                nn.ConvTranspose3d(cin, cout, kernel, pooling, padding, output_padding=padding))


class Up(nn.Module):
    def __init__(self, cin, cout, pooling, kernel, norm, size, size_below, **kw):
        super().__init__()
        self.up = UpSample(cin, cout, pooling, norm, size_below)
        self.conv = nn.Sequential(convolution(2 * cout, cout, kernel))
        self.block = Block(cout, kernel, norm=norm, size=size, **kw)

    def forward(self, x, skip, mask=None):
        x = self.up(x)
        dz, dy, dx = (skip.shape[axis] - x.shape[axis] for axis in (2, 3, 4))
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2, dz // 2, dz - dz // 2])
        return self.block(self.conv(torch.cat([skip, x], dim=1)), mask)


class Out(planar.Out):
    def __init__(self, cin, classes, norm, size):
        nn.Module.__init__(self)
        self.conv = nn.Sequential(plain_norm(norm, cin, size), nn.ReLU(), nn.Conv3d(cin, classes, 1))


class DualNormUNet3D(nn.Module):
    def __init__(self, classes, base=32, channels=1, norm="BN", dual_blocks=(), reduction=2, mask="soft", size=None,
                 poolings=((2, 2, 2),) * 4, kernels=((3, 3, 3),) * 5, cap=320):
        super().__init__()
        self.steps = len(poolings)
        if len(kernels) != self.steps + 1:
            raise ValueError(f"{len(kernels)} kernels do not fit {self.steps} poolings")
        if unknown := set(dual_blocks) - set(block_names(poolings)):
            raise ValueError(f"no such blocks: {sorted(unknown)}")
        self.classes, self.dual_blocks = classes, tuple(dual_blocks)
        w = [min(base * 2 ** i, cap) for i in range(self.steps + 1)]
        sizes = [size]
        for pooling in poolings:
            sizes.append(tuple(s // p for s, p in zip(sizes[-1], pooling)) if size else None)

        def kw(name, level):
            return dict(kernel=kernels[level], classes=classes, norm=norm, size=sizes[level], dual=name in dual_blocks,
                        reduction=reduction, mask=mask)

        self.inc = In(channels, w[0], **kw("inc", 0))
        for i in range(1, self.steps + 1):
            setattr(self, f"down{i}", Down(w[i - 1], w[i], poolings[i - 1], **kw(f"down{i}", i)))
        self.mid = Mid(w[-1], **kw("mid", self.steps))
        for i in range(1, self.steps + 1):
            level = self.steps - i
            setattr(self, f"up{i}", Up(w[level + 1], w[level], poolings[level], size_below=sizes[level + 1],
                                       **kw(f"up{i}", level)))
        self.outc = Out(w[0], classes, norm, size)

    def forward(self, x, mask=None):
        levels = [self.inc(x, mask)]
        for i in range(1, self.steps + 1):
            levels.append(getattr(self, f"down{i}")(levels[-1], mask))
        x = self.mid(levels.pop(), mask)
        for i in range(1, self.steps + 1):
            x = getattr(self, f"up{i}")(x, levels.pop(), mask)
        return self.outc(x)
