"""Makes Tests/Fixtures/prepare: a small oblique volume and its mask, and both resampled in plane by SimpleITK.

Needs numpy and SimpleITK. The recipe under test says resample-size [8, 10] (height, width): x from 7 to 10 pixels, y from
12 to 8. No position lies half way between two voxels, where rounding would decide the nearest one.
"""

from pathlib import Path

import numpy as np
import SimpleITK

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "prepare"
SIZE = (10, 8)


def rotation(axis, angle):
    i, j = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix


def save(array, name):
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.9, 3.1))
    image.SetOrigin((-11.1, 22.2, 33.3))
    image.SetDirection((rotation(0, 0.2) @ rotation(1, 0.3) @ rotation(2, -0.4)).ravel().tolist())
    SimpleITK.WriteImage(image, str(FOLDER / name), True)
    return SimpleITK.ReadImage(str(FOLDER / name))  # as its header, in single precision, says


def resampled(image, interpolator, pixel_type):
    spacing = [s * n / m for s, n, m in zip(image.GetSpacing(), image.GetSize(), SIZE)] + [image.GetSpacing()[2]]
    shift = (np.array(spacing) - image.GetSpacing()) / 2  # edges stay in place, so the first centre moves
    origin = np.array(image.GetOrigin()) + np.array(image.GetDirection()).reshape(3, 3) @ shift
    return SimpleITK.Resample(
        image, SIZE + (image.GetSize()[2],), SimpleITK.Transform(3, SimpleITK.sitkIdentity), interpolator,
        origin.tolist(), spacing, image.GetDirection(), 0, pixel_type)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(11)
    image = save(random.integers(-900, 1200, (4, 12, 7)).astype("i2"), "img0003.nii.gz")
    mask = save(random.choice([0, 0, 1, 2, 5], (4, 12, 7)).astype("u1"), "label0003.nii.gz")
    linear = resampled(image, SimpleITK.sitkLinear, SimpleITK.sitkFloat32)
    nearest = resampled(mask, SimpleITK.sitkNearestNeighbor, SimpleITK.sitkUInt8)
    SimpleITK.WriteImage(linear, str(FOLDER / "expected.nii.gz"), True)
    SimpleITK.WriteImage(nearest, str(FOLDER / "expected_segmentation.nii.gz"), True)


if __name__ == "__main__":
    main()
