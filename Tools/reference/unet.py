"""U-Net and Attention U-Net in plain PyTorch, for images and volumes. The tests compare the Swift program with them.

U-Net is by O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation"
(MICCAI 2015); with three axes it is by O. Cicek, A. Abdulkadir, S. S. Lienkamp, T. Brox and O. Ronneberger, "3D U-Net:
Learning Dense Volumetric Segmentation from Sparse Annotation" (MICCAI 2016). Attention U-Net is by O. Oktay and others,
"Attention U-Net: Learning Where to Look for the Pancreas" (MIDL 2018). Their dual norms are ours: no publication has
them. What else differs:
    U-Net            convolutions keep the size, so skips are not cropped; each convolution has a norm; no dropout.
                     In 3-D both convolutions of a level have its width (Cicek et al.: the first has half of it), and a
                     transposed convolution goes to the width of its level (Cicek et al.: it keeps the width below).
    Attention U-Net  the first skip has a gate too; no deep supervision. A gate is the paper's formula, without a norm.
                     Its hidden channels are half of the skip's.

The number of spatial axes is that of a kernel, 2 or 3. Level l has min(base * 2^l, cap) channels; kernels[l] is its
kernel, and poolings[l] is the stride to level l + 1. With L = len(poolings), the blocks are inc, down1, ..., downL,
up1, ..., upL:
    inc     two units of level 0
    downK   max-pool poolings[K - 1] -> two units of level K
    upK     transposed conv with kernel and stride poolings[L - K], pad to the skip's size, concatenate
            [skip, upsampled] -> two units of level L - K
    outc    1x1 conv
    unit    ReLU(norm(conv(x)))
A unit of a block named in `dual_blocks` has a dual norm norm_aux, which replaces norm in the pass with a mask. All
kernels of a network with two axes are 3x3, as in its dual norms.

The gate of Attention U-Net multiplies the skip x by alpha, of which each position has one; g is the level below:
    alpha = sigmoid(psi(ReLU(conv_x(x) + conv_g(g)))), enlarged linearly with aligned corners
conv_x has the pooling as kernel and stride and no bias. conv_g and psi are 1x1 convolutions with bias.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import dualnorm_torch as planar
import volumetric


def convolution(cin, cout, kernel, stride=1, padding=0, bias=True):
    """A convolution with as many axes as its kernel."""
    return (nn.Conv2d if len(kernel) == 2 else nn.Conv3d)(cin, cout, kernel, stride, padding, bias=bias)


def same(cin, cout, kernel):
    """A convolution that keeps the size."""
    return convolution(cin, cout, kernel, padding=tuple(k // 2 for k in kernel))


def transposed(cin, cout, pooling):
    """The transposed convolution whose kernel and stride are a pooling."""
    return (nn.ConvTranspose2d if len(pooling) == 2 else nn.ConvTranspose3d)(cin, cout, pooling, pooling)


def resized(x, size):
    """Linear interpolation with aligned corners."""
    return F.interpolate(x, size, mode="bilinear" if len(size) == 2 else "trilinear", align_corners=True)


def padded(x, size):
    """Zeros around x up to a size; of an odd number, the last side has one more."""
    missing = [there - here for there, here in zip(size, x.shape[2:])]
    return F.pad(x, [side for m in reversed(missing) for side in (m // 2, m - m // 2)])


class Plan:
    """The options of a network, and the layers of a level that depend on them."""

    def __init__(self, classes, base=32, channels=1, norm="BN", dual_blocks=(), reduction=2, mask="soft", size=None, *,
                 poolings=((2, 2),) * 4, kernels=((3, 3),) * 5, cap=2 ** 30):
        if len(kernels) != len(poolings) + 1:
            raise ValueError(f"{len(kernels)} kernels do not fit {len(poolings)} poolings")
        self.axes = len(kernels[0])
        if self.axes == 2 and set(kernels) != {(3, 3)}:
            raise ValueError("with two axes, all kernels are 3x3")
        self.classes, self.channels, self.norm, self.dual_blocks = classes, channels, norm, tuple(dual_blocks)
        self.dual_options = dict(reduction=reduction, mask=mask)
        self.depth, self.poolings, self.kernels = len(poolings), poolings, kernels
        self.point = (1,) * self.axes
        self.widths = [min(base * 2 ** level, cap) for level in range(self.depth + 1)]
        self.sizes = [size]
        for pooling in poolings:
            self.sizes.append(tuple(s // p for s, p in zip(self.sizes[-1], pooling)) if size else None)

    def plain_norm(self, level, channels):
        return (planar if self.axes == 2 else volumetric).plain_norm(self.norm, channels, self.sizes[level])

    def dual_norm(self, level, channels):
        if self.axes == 2:
            return planar.DualNorm(channels, self.classes, **self.dual_options)
        return volumetric.DualNorm3D(channels, self.classes, self.kernels[level], **self.dual_options)


class Unit(nn.Module):
    """conv -> norm -> ReLU. The convolution has the kernel of the level, or another."""

    def __init__(self, plan, block, level, cin, cout, kernel=None):
        super().__init__()
        self.conv = same(cin, cout, kernel or plan.kernels[level])
        self.norm = plan.plain_norm(level, cout)
        self.norm_aux = plan.dual_norm(level, cout) if block in plan.dual_blocks else None

    def normalized(self, x, mask):
        x = self.conv(x)
        return self.norm(x) if mask is None or self.norm_aux is None else self.norm_aux(x, mask)

    def forward(self, x, mask=None):
        return F.relu(self.normalized(x, mask))


class Units(nn.ModuleList):
    """Units of a block, of which the first changes the width."""

    def __init__(self, plan, block, level, cin, cout, count=2):
        super().__init__(Unit(plan, block, level, cout if i else cin, cout) for i in range(count))

    def forward(self, x, mask=None):
        for unit in self:
            x = unit(x, mask)
        return x


class In(nn.Module):
    def __init__(self, plan, name):
        super().__init__()
        self.block = Units(plan, name, 0, plan.channels, plan.widths[0])

    def forward(self, x, mask=None):
        return self.block(x, mask)


class Down(nn.Module):
    def __init__(self, plan, name, level):
        super().__init__()
        self.pooling = plan.poolings[level - 1]
        self.block = Units(plan, name, level, plan.widths[level - 1], plan.widths[level])

    def forward(self, x, mask=None):
        pool = F.max_pool2d if len(self.pooling) == 2 else F.max_pool3d
        return self.block(pool(x, self.pooling), mask)


class Gate(nn.Module):
    def __init__(self, plan, level):
        super().__init__()
        width, below, pooling = plan.widths[level], plan.widths[level + 1], plan.poolings[level]
        hidden = max(width // 2, 1)
        self.x = convolution(width, hidden, pooling, stride=pooling, bias=False)
        self.g = convolution(below, hidden, plan.point)
        self.psi = convolution(hidden, 1, plan.point)

    def forward(self, skip, below):
        alpha = torch.sigmoid(self.psi(F.relu(self.x(skip) + self.g(below))))
        return resized(alpha, skip.shape[2:]) * skip


class Up(nn.Module):
    def __init__(self, plan, name, level, gated):
        super().__init__()
        width = plan.widths[level]
        self.gate = Gate(plan, level) if gated else None
        self.up = transposed(plan.widths[level + 1], width, plan.poolings[level])
        self.block = Units(plan, name, level, 2 * width, width)

    def forward(self, x, skip, mask=None):
        if self.gate is not None:
            skip = self.gate(skip, x)
        return self.block(torch.cat([skip, padded(self.up(x), skip.shape[2:])], 1), mask)


class Network(nn.Module):
    """An encoder with skips and a decoder, whose layers subclasses make. The options are those of Plan."""
    middle = ()  # the names of blocks between both

    def __init__(self, *options, **levels):
        super().__init__()
        self.plan = Plan(*options, **levels)
        self.classes, self.dual_blocks = self.plan.classes, self.plan.dual_blocks
        steps = range(1, self.plan.depth + 1)
        self.downs, self.ups = [f"down{i}" for i in steps], [f"up{i}" for i in steps]
        if unknown := set(self.dual_blocks) - {"inc", *self.downs, *self.middle, *self.ups}:
            raise ValueError(f"no such blocks: {sorted(unknown)}")

    def between(self, x, mask):
        """What runs between encoder and decoder."""
        return x

    def forward(self, x, mask=None):
        levels = [self.inc(x, mask)]
        for name in self.downs:
            levels.append(getattr(self, name)(levels[-1], mask))
        x = self.between(levels.pop(), mask)
        for name in self.ups:
            x = getattr(self, name)(x, levels.pop(), mask)
        return self.outc(x)


class UNet(Network):
    gated = False

    def __init__(self, *options, **levels):
        super().__init__(*options, **levels)
        plan = self.plan
        self.inc = In(plan, "inc")
        for level, name in enumerate(self.downs, 1):
            setattr(self, name, Down(plan, name, level))
        for step, name in enumerate(self.ups, 1):
            setattr(self, name, Up(plan, name, plan.depth - step, self.gated))
        self.outc = convolution(plan.widths[0], plan.classes, plan.point)


class AttentionUNet(UNet):
    gated = True
