"""A small TransUNet in plain PyTorch, for images and for volumes. The tests compare the Swift program with it.

The network is by J. Chen and others, "TransUNet: Transformers Make Strong Encoders for Medical Image Segmentation"
(arXiv 2102.04306). Its dual norms are ours: no publication has them. What else differs:
    encoder      that of U-Net in unet.py, not a ResNet-50; nothing is pretrained
    transformer  as wide as the lowest level, with 2 layers of 4 heads if not told otherwise (the paper: 768, 12, 12);
                 a token is a position of the lowest level; no dropout; epsilon of layer norms 1e-5, not 1e-6
    positions    a small grid that is resized to the map; in the paper, one vector for each token
    decoder      every level has a skip; outc is 1x1, not 3x3
    axes         images or volumes

Axes, widths, kernels, poolings and units are those of unet.py. L = len(poolings), and C is the width of level L. The
blocks are inc, down1, ..., downL, mid, up1, ..., upL:
    inc     two units of level 0
    downK   max-pool poolings[K - 1] -> two units of level K
    vit     x = embedding(x) + position; layers; norm. It has no block, because it has no dual norms
    mid     one unit of level L
    upK     enlarge linearly with aligned corners to the skip's size, concatenate [skip, enlarged]
            -> two units of level L - K
    outc    1x1 conv
    layer   x = x + proj(attention(qkv(norm1(x)))); x = x + fc2(GELU(fc1(norm2(x))))
All of vit is on the map [N, C, ...], whose positions are the tokens. `position` [1, C, 8, 8] or [1, C, 4, 4, 4] is 0
at first and resized linearly with aligned corners. embedding, qkv, proj, fc1 and fc2 are 1x1 convolutions. qkv makes q,
k and v in this order, and each has its heads one after another. The norms are layer norms over the channels of a token.
GELU is the exact one. With T tokens and d = C / heads, a head is
    attention = softmax(q k^T / sqrt(d)) v, where q, k and v are [T, d]
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from unet import Down, In, Network, Units, convolution, resized


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of each token of a map [N, C, ...]."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Layer(nn.Module):
    def __init__(self, width, heads, point):
        super().__init__()
        self.heads = heads
        self.norm1 = ChannelNorm(width)
        self.qkv = convolution(width, 3 * width, point)
        self.proj = convolution(width, width, point)
        self.norm2 = ChannelNorm(width)
        self.fc1 = convolution(width, 4 * width, point)
        self.fc2 = convolution(4 * width, width, point)

    def attention(self, x):
        n, width, *size = x.shape
        q, k, v = self.qkv(x).reshape(n, 3, self.heads, width // self.heads, -1).transpose(3, 4).unbind(1)
        weights = torch.softmax(q @ k.transpose(2, 3) / (width // self.heads) ** 0.5, -1)
        return (weights @ v).transpose(2, 3).reshape(n, width, *size)

    def forward(self, x):
        x = x + self.proj(self.attention(self.norm1(x)))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, point):
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not fit {width} channels")
        self.embedding = convolution(width, width, point)
        self.position = nn.Parameter(torch.zeros(1, width, *((8, 8) if len(point) == 2 else (4, 4, 4))))
        self.layers = nn.Sequential(*(Layer(width, heads, point) for _ in range(layers)))
        self.norm = ChannelNorm(width)

    def forward(self, x):
        x = self.embedding(x) + resized(self.position, x.shape[2:])
        return self.norm(self.layers(x))


class Mid(nn.Module):
    def __init__(self, plan):
        super().__init__()
        self.block = Units(plan, "mid", plan.depth, plan.widths[-1], plan.widths[-1], count=1)

    def forward(self, x, mask=None):
        return self.block(x, mask)


class Up(nn.Module):
    def __init__(self, plan, name, level):
        super().__init__()
        width, below = plan.widths[level:level + 2]
        self.block = Units(plan, name, level, width + below, width)

    def forward(self, x, skip, mask=None):
        return self.block(torch.cat([skip, resized(x, skip.shape[2:])], 1), mask)


class TransUNet(Network):
    middle = ("mid",)

    def __init__(self, *options, layers=2, heads=4, **levels):
        super().__init__(*options, **levels)
        plan = self.plan
        self.inc = In(plan, "inc")
        for level, name in enumerate(self.downs, 1):
            setattr(self, name, Down(plan, name, level))
        self.vit = Transformer(plan.widths[-1], layers, heads, plan.point)
        self.mid = Mid(plan)
        for step, name in enumerate(self.ups, 1):
            setattr(self, name, Up(plan, name, plan.depth - step))
        self.outc = convolution(plan.widths[0], plan.classes, plan.point)

    def between(self, x, mask):
        return self.mid(self.vit(x), mask)
