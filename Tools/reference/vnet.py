"""V-Net in plain PyTorch, for images and for volumes. The tests compare the Swift program with it.

The network is by F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric
Medical Image Segmentation" (3DV 2016). Its dual norms are ours: no publication has them. What else differs:
    norms   the convolutions of stages, of downK.down and of upK.up have one; the paper has none
    inc     a 1x1 conv precedes the first stage; in the paper, that stage reads the image and adds the image
    axes    images may have two axes; kernels and poolings may differ between axes
As in the paper, four poolings give stages of 1, 2, 3, 3, 3 and 3, 3, 2, 1 convolutions.

Axes, widths, kernels, poolings and block names are those of unet.py. L = len(poolings); C_l is the width of level l:
    inc     1x1 conv to C_0 -> stage of width C_0
    downK   conv with kernel and stride poolings[K - 1] to C_K, norm, PReLU -> stage of width C_K
    upK     to level l = L - K: transposed conv with kernel and stride poolings[l] to C_l, norm, PReLU, pad to the
            skip's size, concatenate [skip, upsampled] -> stage of width 2 * C_l
    outc    1x1 conv
    stage   min(l + 1, 3) units. From y = x on, each is y = PReLU(norm(conv(y))), but the last is
            PReLU(x + norm(conv(y)))
The convolution of a unit has kernel 5 where the level's kernel is 3, and kernel 1 where that is 1. A unit of a block
named in `dual_blocks` has a dual norm norm_aux, with the level's own kernel. It replaces norm in the pass with a mask.
A PReLU has a slope for each channel, 0.25 at first. With LN, sizes must be multiples of the poolings.
"""
import torch
import torch.nn as nn

from unet import Network, Unit, convolution, padded, transposed


class StageUnit(Unit):
    def __init__(self, plan, block, level, width):
        super().__init__(plan, block, level, width, width, [5 if k == 3 else 1 for k in plan.kernels[level]])
        self.act = nn.PReLU(width)


class Stage(nn.ModuleList):
    def __init__(self, plan, block, level, width):
        super().__init__(StageUnit(plan, block, level, width) for _ in range(min(level + 1, 3)))

    def forward(self, x, mask=None):
        *units, last = self
        y = x
        for unit in units:
            y = unit.act(unit.normalized(y, mask))
        return last.act(x + last.normalized(y, mask))


class Resampling(nn.Module):
    """A convolution between two levels, its norm and PReLU."""

    def __init__(self, plan, level, conv):
        super().__init__()
        self.conv = conv
        self.norm = plan.plain_norm(level, conv.out_channels)
        self.act = nn.PReLU(conv.out_channels)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class In(nn.Module):
    def __init__(self, plan, name):
        super().__init__()
        self.conv = convolution(plan.channels, plan.widths[0], plan.point)
        self.stage = Stage(plan, name, 0, plan.widths[0])

    def forward(self, x, mask=None):
        return self.stage(self.conv(x), mask)


class Down(nn.Module):
    def __init__(self, plan, name, level):
        super().__init__()
        width, pooling = plan.widths[level], plan.poolings[level - 1]
        self.down = Resampling(plan, level, convolution(plan.widths[level - 1], width, pooling, stride=pooling))
        self.stage = Stage(plan, name, level, width)

    def forward(self, x, mask=None):
        return self.stage(self.down(x), mask)


class Up(nn.Module):
    def __init__(self, plan, name, level, below):
        super().__init__()
        self.up = Resampling(plan, level, transposed(below, plan.widths[level], plan.poolings[level]))
        self.stage = Stage(plan, name, level, 2 * plan.widths[level])

    def forward(self, x, skip, mask=None):
        return self.stage(torch.cat([skip, padded(self.up(x), skip.shape[2:])], 1), mask)


class VNet(Network):
    def __init__(self, *options, **levels):
        super().__init__(*options, **levels)
        plan = self.plan
        self.inc = In(plan, "inc")
        for level, name in enumerate(self.downs, 1):
            setattr(self, name, Down(plan, name, level))
        width = plan.widths[-1]
        for step, name in enumerate(self.ups, 1):
            level = plan.depth - step
            setattr(self, name, Up(plan, name, level, width))
            width = 2 * plan.widths[level]
        self.outc = convolution(width, plan.classes, plan.point)
