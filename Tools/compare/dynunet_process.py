"""One step of MONAI's DynUNet in a process of its own: train or predict.

    python dynunet_process.py STEP JSON

Network, transforms, loss and optimizer are those of MONAI's tutorial "dynunet_pipeline": kernels and strides by window and
spacing, deep supervision, Dice with cross entropy, SGD with Nesterov momentum 0.99, polynomial rate from 0.01. A network
of slices sees windows of one slice. The files have nnU-Net's raw format.
"""
import json
import math
import resource
import sys
import time
from pathlib import Path
from statistics import median

import numpy
import torch
from monai.data import MetaTensor
from monai.inferers import SliceInferer, SlidingWindowInferer
from monai.losses import DiceCELoss
from monai.networks.nets import DynUNet
from monai.transforms import (
    Compose, EnsureChannelFirstd, FgBgToIndicesd, LoadImage, LoadImaged, NormalizeIntensityd, Orientationd,
    RandCropByPosNegLabeld, RandFlipd, RandGaussianNoised, RandGaussianSmoothd, RandScaleIntensityd, RandZoomd, Spacingd,
    SpatialPadd, SpatialResample)
from monai.utils import set_determinism

BATCH, LEAST_BATCH = 8, 2
# Iterations that the budget should hold, as an epoch of nnU-Net; else the batch shrinks.
EPOCH = 250
LARGEST_WINDOW = {2: 384, 3: 64}
SHARE_FOR_TRAINING = 0.99


def spent():
    """Processor seconds of this process since its start, and of its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def window_side(voxels, largest):
    """The least side of at least these voxels that halves evenly until it is below 8, as the strides do."""
    voxels = min(max(voxels, 4), largest)
    unit = 2 ** int(math.log2(voxels / 4))
    return math.ceil(voxels / unit) * unit


def kernels_and_strides(sizes, spacings):
    """The tutorial's rule: halve axes of at least 8 voxels and of at most twice the finest spacing."""
    strides, kernels = [[1] * len(sizes)], []
    while True:
        ratios = [spacing / min(spacings) for spacing in spacings]
        stride = [2 if ratio <= 2 and size >= 8 else 1 for ratio, size in zip(ratios, sizes)]
        if all(step == 1 for step in stride):
            return kernels + [[3] * len(sizes)], strides
        kernels.append([3 if ratio <= 2 else 1 for ratio in ratios])
        strides.append(stride)
        sizes = [size / step for size, step in zip(sizes, stride)]
        spacings = [spacing * step for spacing, step in zip(spacings, stride)]


def plan(settings):
    """Spacing and window by the median of the training cases, and the network's shape."""
    spacings, shapes = [], []
    # Headers alone would do, but Orientation must have turned the axes.
    turn = Compose([LoadImaged("image", reader="NibabelReader"), EnsureChannelFirstd("image"),
                    Orientationd("image", axcodes="RAS", labels=None)])
    for path in images(settings["raw"], "imagesTr"):
        image = turn({"image": path})["image"]
        spacings.append([float(each) for each in image.pixdim])
        shapes.append([size * step for size, step in zip(image.shape[1:], spacings[-1])])
    spacing = [median(axis) for axis in zip(*spacings)]
    shape = [median(axis) / step for axis, step in zip(zip(*shapes), spacing)]
    dimensions = settings["dimensions"]
    window = [window_side(side, LARGEST_WINDOW[dimensions]) for side in shape[:dimensions]]
    return {"spacing": spacing, "window": window, "dimensions": dimensions, "classes": settings["classes"]}


def images(raw, folder):
    return sorted(str(path) for path in (Path(raw) / folder).glob("*_0000.nii.gz"))


def network(planned):
    kernels, strides = kernels_and_strides(planned["window"], planned["spacing"][:planned["dimensions"]])
    return DynUNet(planned["dimensions"], 1, planned["classes"], kernels, strides, strides[1:], norm_name="instance",
                   deep_supervision=True, deep_supr_num=max(1, min(3, len(strides) - 2)))


def fixed_transforms(planned, keys):
    """Transforms that do not change from one iteration to the next."""
    modes = ["bilinear", "nearest"][:len(keys)]
    return Compose([
        LoadImaged(keys, reader="NibabelReader"), EnsureChannelFirstd(keys), Orientationd(keys, axcodes="RAS", labels=None),
        # Slices keep their distance.
        Spacingd(keys, pixdim=planned["spacing"][:planned["dimensions"]] + [-1] * (3 - planned["dimensions"]), mode=modes),
        NormalizeIntensityd("image", nonzero=True)])


def random_transforms(planned):
    keys, flat = ["image", "label"], planned["dimensions"] == 2
    window = planned["window"] + [1] * flat
    return Compose([
        RandCropByPosNegLabeld(keys, "label", window, pos=1, neg=1, num_samples=1, fg_indices_key="label_fg_indices",
                               bg_indices_key="label_bg_indices"),
        lambda crops: {key: crops[0][key].as_tensor().squeeze(-1) if flat else crops[0][key].as_tensor() for key in keys},
        RandZoomd(keys, min_zoom=0.9, max_zoom=1.2, mode=["bilinear" if flat else "trilinear", "nearest"],
                  align_corners=[True, None], prob=0.16),
        RandGaussianNoised("image", std=0.01, prob=0.15),
        RandGaussianSmoothd("image", sigma_x=(0.5, 1.15), sigma_y=(0.5, 1.15), sigma_z=(0.5, 1.15), prob=0.15),
        RandScaleIntensityd("image", factors=0.3, prob=0.15),
        *[RandFlipd(keys, spatial_axis=axis, prob=0.5) for axis in range(planned["dimensions"])]], map_items=False)


def training_cases(settings, planned):
    """All training cases in memory, padded to the window."""
    prepare = Compose([fixed_transforms(planned, ["image", "label"]),
                       SpatialPadd(["image", "label"], planned["window"] + [1] * (3 - planned["dimensions"])),
                       FgBgToIndicesd("label")])
    masks = [path.replace("imagesTr", "labelsTr").replace("_0000.nii.gz", ".nii.gz")
             for path in images(settings["raw"], "imagesTr")]
    return [prepare({"image": image, "label": mask}) for image, mask in zip(images(settings["raw"], "imagesTr"), masks)]


class Training:
    def __init__(self, settings, planned):
        self.budget, self.random = SHARE_FOR_TRAINING * settings["budget"], numpy.random.RandomState(settings["seed"])
        self.cases, self.change = training_cases(settings, planned), random_transforms(planned)
        self.change.set_random_state(settings["seed"])
        self.network = network(planned)
        self.loss = DiceCELoss(to_onehot_y=True, softmax=True, batch=True)
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.01, momentum=0.99, nesterov=True, weight_decay=3e-5)

    def step(self, batch):
        """Takes one step at the rate that the spent share of the budget tells; returns its processor seconds."""
        begin = spent()
        for group in self.optimizer.param_groups:
            group["lr"] = 0.01 * max(0.0, 1 - begin / self.budget) ** 0.9
        chosen = [self.change(dict(self.cases[self.random.randint(len(self.cases))])) for _ in range(batch)]
        image, label = (torch.stack([torch.as_tensor(each[key]).float() for each in chosen]) for key in ("image", "label"))
        self.optimizer.zero_grad()
        heads = self.network(image)
        loss = sum(0.5 ** index * self.loss(heads[:, index], label) for index in range(heads.shape[1]))
        loss.backward()
        self.optimizer.step()
        return spent() - begin


def train(settings):
    """Trains until the budget is spent; the cases' preparation is part of it."""
    torch.set_num_threads(1)
    set_determinism(settings["seed"])
    planned = plan(settings)
    training = Training(settings, planned)
    # The first step also plans its convolutions.
    step, iterations = [training.step(LEAST_BATCH) for _ in range(2)][-1], 2
    batch = max(LEAST_BATCH, min(BATCH, int(settings["budget"] / EPOCH / (step / LEAST_BATCH))))
    step *= batch / LEAST_BATCH
    while spent() + step / 2 < training.budget:
        step, iterations = training.step(batch), iterations + 1
    torch.save({"plan": planned, "weights": training.network.state_dict()}, settings["model"])
    return {"iterations": iterations, "batch": batch, **planned}


def predict(settings):
    """Segments all held-out images by overlapping windows; the mask is decided on the image's own grid."""
    torch.set_num_threads(1)
    stored = torch.load(settings["model"], weights_only=True)
    planned, window = stored["plan"], stored["plan"]["window"]
    made = network(planned)
    made.load_state_dict(stored["weights"])
    made.eval()
    inferer = (SliceInferer(window, spatial_dim=2, sw_batch_size=8, overlap=0.5, mode="gaussian")
               if planned["dimensions"] == 2 else SlidingWindowInferer(window, 2, overlap=0.5, mode="gaussian"))
    prepare = fixed_transforms(planned, ["image"])
    Path(settings["masks"]).mkdir(parents=True, exist_ok=True)
    for name in settings["cases"]:
        path = str(Path(settings["raw"]) / "imagesTs" / f"{name}_0000.nii.gz")
        image, own = prepare({"image": path})["image"], LoadImage(reader="NibabelReader")(path)
        with torch.no_grad():
            shares = inferer(image.as_tensor()[None], made)[0].softmax(0)
        back = SpatialResample(mode="bilinear", padding_mode="border")
        shares = back(MetaTensor(shares, affine=image.affine), dst_affine=own.affine, spatial_size=own.shape)
        write(shares.argmax(0).numpy(), path, Path(settings["masks"]) / f"{name}.nii.gz")
    return {}


def write(mask, image, path):
    import nibabel
    nibabel.save(nibabel.Nifti1Image(mask.astype(numpy.uint8), nibabel.load(image).affine), path)


if __name__ == "__main__":
    asked = json.loads(sys.argv[2])
    found = {"train": train, "predict": predict}[sys.argv[1]](asked)
    Path(asked["report"]).write_text(json.dumps(found))
