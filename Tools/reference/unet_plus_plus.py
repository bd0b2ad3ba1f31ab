"""UNet++ in plain PyTorch, made of the reference network's blocks. The tests compare the Swift program with it.

The network is by Z. Zhou, M. M. R. Siddiquee, N. Tajbakhsh and J. Liang, "UNet++: A Nested U-Net Architecture for Medical
Image Segmentation" (DLMIA 2018). Its dual norms are ours: no publication has them.

Node x(i, j) of level i is a 3x3 convolution and a residual block. Its input depends on the column j:
    x(0, 0)   the images
    x(i, 0)   x(i - 1, 0), max-pooled by 2
    x(i, j)   x(i, 0), ..., x(i, j - 1) and the enlarged x(i + 1, j - 1), concatenated
Enlargement is bilinear with aligned corners. The logits come from x(0, 4) by norm, ReLU and a 1x1 convolution.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from dualnorm_torch import Block, Out

DEPTH = 4
BLOCKS = [f"x{level}_{column}" for column in range(DEPTH + 1) for level in range(DEPTH + 1 - column)]


class Node(nn.Module):
    def __init__(self, cin, cout, **kw):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, padding=1)
        self.block = Block(cout, **kw)

    def forward(self, x, mask=None):
        return self.block(self.conv(x), mask)


class NestedUNet(nn.Module):
    def __init__(self, classes, base=32, channels=3, norm="BN", dual_blocks=(), reduction=2, mask="soft", size=None):
        super().__init__()
        self.classes, self.dual_blocks = classes, tuple(dual_blocks)
        w = [base * 2 ** i for i in range(DEPTH + 1)]
        for name in BLOCKS:
            level, column = map(int, name[1:].split("_"))
            above = channels if level == 0 else w[level - 1]
            inputs = above if column == 0 else column * w[level] + w[level + 1]
            s = (size[0] >> level, size[1] >> level) if size else None
            setattr(self, name, Node(inputs, w[level], classes=classes, norm=norm, size=s, dual=name in dual_blocks,
                                     reduction=reduction, mask=mask))
        self.outc = Out(w[0], classes, norm, size)

    def forward(self, x, mask=None):
        rows = [[] for _ in range(DEPTH + 1)]
        for name in BLOCKS:
            level, column = map(int, name[1:].split("_"))
            if column:
                below = F.interpolate(rows[level + 1][-1], rows[level][0].shape[2:], mode="bilinear", align_corners=True)
                x = torch.cat(rows[level] + [below], 1)
            elif level:
                x = F.max_pool2d(rows[level - 1][0], 2)
            rows[level].append(getattr(self, name)(x, mask))
        return self.outc(rows[0][-1])
