"""The data sets of the comparison, their held-out cases, and folders of them for each contestant."""
import csv
import json
import random
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy

from measure import fail

# Of the draw of the held-out cases, which are the same for all contestants, budgets and seeds of training.
SPLIT_SEED = 1
SHARE_HELD_OUT = 0.3


class DataSet(NamedTuple):
    """A data set. `spacing` in mm replaces that of the files for the contestants that plan by it."""
    number: int
    labels: tuple
    spacing: tuple = None


DATA_SETS = {
    "hippocampus": DataSet(941, (1, 2)),
    # The spacing was never published. By the files' 2 x 2 x 1 mm nnU-Net would cut slices across the true ones.
    "lgg": DataSet(942, (1,), (1, 1, 3)),
    "prostate": DataSet(943, (1, 2)),
}


class Case(NamedTuple):
    site: str
    name: str
    image: Path
    mask: Path
    held_out: bool

    @property
    def joint_name(self):
        """A name without a folder, for nnU-Net."""
        return f"{self.site}_{self.name}"


def found_cases(name, folder):
    """Site, name, image and mask of all cases in a folder, in Decathlon's layout or that of sites."""
    if not folder.is_dir():
        fail(f"{folder} is no folder; give the folder that holds {name} with --source.")
    description = folder / "dataset.json"
    if description.is_file():
        for pair in json.loads(description.read_text())["training"]:
            image, mask = (folder / pair[key] for key in ("image", "label"))
            yield name.capitalize(), image.name.removesuffix(".nii.gz"), image, mask
        return
    for mask in sorted(folder.glob("*/*_segmentation.nii.gz")):
        case = mask.name.removesuffix("_segmentation.nii.gz")
        yield mask.parent.name, case, mask.parent / f"{case}.nii.gz", mask


def cases(name, source):
    """All cases of a data set, a fixed share of each site held out."""
    by_site = {}
    for site, case, image, mask in found_cases(name, source / name):
        by_site.setdefault(site, []).append((case, image.resolve(), mask.resolve()))
    if not by_site:
        fail(f"{source / name} holds no cases.")
    drawn = []
    for site, members in sorted(by_site.items()):
        members.sort()
        order = list(range(len(members)))
        random.Random(f"{SPLIT_SEED} {name} {site}").shuffle(order)
        held_out = set(order[:max(1, round(SHARE_HELD_OUT * len(members)))])
        drawn += [Case(site, *member, index in held_out) for index, member in enumerate(members)]
    return drawn


def link(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_symlink():
        target.symlink_to(source)


def write_with_spacing(source, target, spacing):
    """Copies a volume with another spacing, its axes kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.load(source)
    affine = image.affine.copy()
    affine[:3, :3] *= numpy.array(spacing) / nibabel.affines.voxel_sizes(affine)
    copy = nibabel.Nifti1Image(numpy.asanyarray(image.dataobj), affine)
    copy.set_qform(affine, 1)
    nibabel.save(copy, target)


class Folders:
    """The folders of a data set, made once:

    train/SITE/CASE.nii.gz, CASE_segmentation.nii.gz   what `dualnorm train` reads
    test/SITE/CASE.nii.gz                              held-out images
    reference/SITE/CASE_segmentation.nii.gz            and their masks
    raw/DatasetNNN_NAME                                nnU-Net's format, with imagesTs
    cases.csv                                          which case is on which side
    """

    def __init__(self, name, source, output, limit=None):
        self.name, self.data = name, DATA_SETS[name]
        self.root = output / name
        self.train, self.test, self.reference = (self.root / each for each in ("train", "test", "reference"))
        self.raw = self.root / "raw" / f"Dataset{self.data.number}_{name.capitalize()}"
        everything = cases(name, source)
        self.training = [case for case in everything if not case.held_out]
        self.held_out = [case for case in everything if case.held_out]
        if limit:
            sites = sorted({case.site for case in self.held_out})
            self.held_out = [case for site in sites for case in
                             [each for each in self.held_out if each.site == site][:limit]]
        self.root.mkdir(parents=True, exist_ok=True)
        self.check_limit(limit)
        self.link_sites()
        self.make_raw()
        self.write_cases()

    def check_limit(self, limit):
        """Refuses to mix numbers of held-out cases in one folder."""
        path = self.root / "limit.json"
        if path.exists() and json.loads(path.read_text()) != limit:
            fail(f"{self.root} was made with another --cases; give another --output.")
        path.write_text(json.dumps(limit))

    def link_sites(self):
        for case in self.training:
            link(case.image, self.train / case.site / f"{case.name}.nii.gz")
            link(case.mask, self.train / case.site / f"{case.name}_segmentation.nii.gz")
        for case in self.held_out:
            link(case.image, self.test / case.site / f"{case.name}.nii.gz")
            link(case.mask, self.reference / case.site / f"{case.name}_segmentation.nii.gz")

    def make_raw(self):
        description = self.raw / "dataset.json"
        if description.exists():
            return
        for case in self.training:
            self.copy(case.image, self.raw / "imagesTr" / f"{case.joint_name}_0000.nii.gz")
            self.copy(case.mask, self.raw / "labelsTr" / f"{case.joint_name}.nii.gz")
        for case in self.held_out:
            self.copy(case.image, self.raw / "imagesTs" / f"{case.joint_name}_0000.nii.gz")
        labels = {"background": 0, **{f"class {label}": label for label in self.data.labels}}
        # Written last, so that it tells that all is there.
        description.write_text(json.dumps({"channel_names": {"0": "MR"}, "labels": labels, "file_ending": ".nii.gz",
                                           "numTraining": len(self.training)}, indent=1))

    def copy(self, source, target):
        if self.data.spacing:
            write_with_spacing(source, target, self.data.spacing)
        else:
            link(source, target)

    def write_cases(self):
        with open(self.root / "cases.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("data", "site", "case", "side"))
            for side, members in (("train", self.training), ("test", self.held_out)):
                table.writerows((self.name, case.site, case.name, side) for case in members)

    def place_masks(self, predicted, target):
        """Copies masks named as for nnU-Net to SITE/CASE, on the grid of the reference."""
        for case in self.held_out:
            reference = nibabel.load(case.mask)
            voxels = numpy.asanyarray(nibabel.load(predicted / f"{case.joint_name}.nii.gz").dataobj)
            if voxels.shape != reference.shape[:3]:
                fail(f"the mask of {case.joint_name} has another size than its reference.")
            path = target / case.site / f"{case.name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            header = reference.header.copy()
            header.set_data_dtype(numpy.uint8)
            header.set_slope_inter(1, 0)
            nibabel.save(nibabel.Nifti1Image(voxels.astype(numpy.uint8), None, header), path)
