"""Makes Tests/Fixtures/imaging/segmentations: a small oblique MR series by pydicom, DICOM segmentations of it by
highdicom, and in reference.json the label volumes that the segmentations were made from.

The series' files are named out of the order in which the slices lie; 99 pixels a frame do not fill whole bytes, so that
the packed frames of a binary segmentation start within bytes. reference.json lists voxels x fastest, then y (rows),
then z, which ascends along the cross product of the row and the column direction; "overlap" is the one voxel [x, y, z]
that two segments of overlap.dcm share. elsewhere.dcm is of a second series, half a slice farther along, that is not kept.

Needs numpy, pydicom and highdicom. Made with numpy 2.4.6, pydicom 3.0.2 and highdicom 0.28.2, which refuses RLE
Lossless for binary segmentations, so that there is none such here. A second run makes the same bytes.
"""

import json
import shutil
from pathlib import Path

import highdicom
import numpy as np
from highdicom.seg import SegmentDescription, Segmentation
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from dicom_slices import ROOT, dataset

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "imaging" / "segmentations"
COLUMNS, ROWS, SLICES = 11, 9, 5
DISTANCE = 2.5
PLACES = [4, 1, 3, 0, 2]  # where along the normal each file of the series lies
CODES = {"liver": codes.SCT.Liver, "spleen": codes.SCT.Spleen}
rng = np.random.default_rng(5)
reference = {"size": [COLUMNS, ROWS, SLICES], "volumes": {}, "segments": {}}


def orientation():
    """The directions of rows, columns and slices: turned by 30 degrees about z, then tilted by 20 about x."""
    a, b = np.radians(30), np.radians(20)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return (tilt @ turn).T


def series(number, shift):
    """The slices of a series in the order of their files; `shift` is along the normal, in millimetres."""
    row, column, normal = orientation()
    slices = []
    for name, place in enumerate(PLACES):
        position = np.array([-11.5, 20.25, 7]) + normal * (DISTANCE * place + shift)
        slices.append(dataset(
            number, name + 1, position, [*row, *column], [0.8, 0.7, DISTANCE],
            rng.integers(-100, 1000, (ROWS, COLUMNS)).astype(np.int16), StudyInstanceUID=f"{ROOT}.19",
            FrameOfReferenceUID=f"{ROOT}.18",
            # highdicom compares more digits than ten.
            ImagePositionPatient=[format_number_as_ds(float(value)) for value in position],
            ImageOrientationPatient=[format_number_as_ds(float(value)) for value in [*row, *column]]))
    return slices


def segmentation(name, number, volume, labels, sources, kind="BINARY", places=PLACES, **options):
    """Writes a segmentation of the slices `sources`, which lie at `places`; `volume`, of slices as they lie, holds the
    numbers of segments, or has an axis of segments at its end."""
    descriptions = [SegmentDescription(
        segment_number=place + 1, segment_label=label, segmented_property_category=codes.SCT.Organ,
        segmented_property_type=CODES[label], algorithm_type="MANUAL",
    ) for place, label in enumerate(labels)]
    data = Segmentation(
        source_images=sources, pixel_array=volume[places], segmentation_type=kind, segment_descriptions=descriptions,
        series_instance_uid=f"{ROOT}.{number}", series_number=number, sop_instance_uid=f"{ROOT}.{number}.1",
        instance_number=1, manufacturer="Synthetic", manufacturer_model_name="Fixtures",
        software_versions=highdicom.__version__, device_serial_number="1", content_label="ORGANS",
        transfer_syntax_uid=ExplicitVRLittleEndian, **options,
    )
    data.InstanceCreationDate = data.ContentDate = "20200102"
    data.InstanceCreationTime = data.ContentTime = "030405"
    for item in [*data.DimensionOrganizationSequence, *data.DimensionIndexSequence]:
        item.DimensionOrganizationUID = f"{ROOT}.{number}.2"
    for item in data.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = "20200102030405"
    data.save_as(FOLDER / f"{name}.dcm", enforce_file_format=True)
    reference["segments"][name] = {str(place + 1): label for place, label in enumerate(labels)}


def keep(name, volume):
    reference["volumes"][name] = volume.ravel().tolist()


shutil.rmtree(FOLDER, ignore_errors=True)
(FOLDER / "series").mkdir(parents=True)
slices = series(11, 0)
for name, data in enumerate(slices):
    data.save_as(FOLDER / "series" / f"{name}.dcm", enforce_file_format=True)

both = ["liver", "spleen"]
organ = np.array([1, 1, 2, 1, 2])[:, None, None]  # of each slice, as they lie
two = (organ * (rng.random((SLICES, ROWS, COLUMNS)) < 0.4)).astype(np.uint8)
two[:, 0, 0] = two[:, -1, -1] = organ[:, 0, 0]  # the first and the last bit of each frame
segmentation("two", 21, two, both, slices)
keep("two", two)
segmentation("full", 22, two, both, slices, omit_empty_frames=False)
keep("full", two)
one = two * (two == 1)
segmentation("one", 23, one, ["liver"], slices)
keep("one", one)
renamed = np.array([0, 2, 1], np.uint8)[two]  # each organ where it was, under the other's number
segmentation("renamed", 24, renamed, ["spleen", "liver"], slices)
keep("renamed", renamed)
stacked = np.stack([two == 1, two == 2], axis=-1).astype(np.uint8)
shared = np.argwhere(two == 2)[9]
overlap = stacked.copy()
overlap[tuple(shared)] = 1
segmentation("overlap", 25, overlap, both, slices)
reference["overlap"] = np.argwhere(overlap.sum(axis=-1) == 2)[0][::-1].tolist()
segmentation("fractional", 26, stacked * rng.uniform(0.2, 1, stacked.shape), both, slices, kind="FRACTIONAL")
segmentation("labelmap", 27, two, both, slices, kind="LABELMAP")
keep("labelmap", two)
some = [name for name, place in enumerate(PLACES) if place in (1, 2, 4)]
places = [PLACES[name] for name in some]
part = np.zeros_like(two)
part[places] = two[places]
segmentation("part", 28, part, both, [slices[name] for name in some], places=places)
keep("part", part)
segmentation("elsewhere", 29, two, both, series(12, DISTANCE / 2))

everything = {**reference.pop("volumes"), **reference}
lines = [f'"{name}":{json.dumps(value, separators=(",", ":"))}' for name, value in everything.items()]
(FOLDER / "reference.json").write_text("{" + ",\n".join(lines) + "}\n")
