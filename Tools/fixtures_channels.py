"""Volumes of several channels in one file, with what nibabel and SimpleITK read of them: Tests/Fixtures/imaging/channels.json."""

import base64
import gzip
import json
import pathlib
import tempfile

import nibabel
import numpy as np
import SimpleITK

FILE = pathlib.Path(__file__).parent.parent / "Tests/Fixtures/imaging/channels.json"
COSINE, SINE = np.cos(0.1), np.sin(0.1)
AFFINE = np.array([[-0.7, 0, 0, 30], [0, 0.9 * COSINE, -3.1 * SINE, -40], [0, 0.9 * SINE, 3.1 * COSINE, 12], [0, 0, 0, 1]])
noise = np.random.default_rng(7)
folder = pathlib.Path(tempfile.mkdtemp())


def case(name, channels, mask=None, companions=()):
    """The file, its channels in memory order (x fastest), and nibabel's header of a mask on its grid."""
    contents = {each: base64.b64encode((folder / each).read_bytes()).decode() for each in (name, *companions)}
    return {"name": name, "files": contents, "channels": [np.asarray(each, float).ravel().tolist() for each in channels],
            "mask": mask and base64.b64encode(mask).decode()}


def nifti(name, channels, image_class=nibabel.Nifti1Image, slope=None):
    """As Decathlon stores several modalities: the fourth axis with a time step."""
    values = noise.integers(-900, 900, size=(5, 4, 3, channels)).astype(np.int16)
    image = image_class(values, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE, 2)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4:] = [2.5, 7, 8, 9]
    if slope:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, folder / name)
    read = nibabel.load(folder / name)
    mask = nibabel.Nifti1Image(np.ones((5, 4, 3), np.uint8), None, read.header if image_class is nibabel.Nifti1Image else None)
    mask.set_data_dtype(np.uint8)
    nibabel.save(mask, folder / "mask.nii")
    array = read.get_fdata().transpose(3, 2, 1, 0)
    return case(name, array, (folder / "mask.nii").read_bytes()[:348] if image_class is nibabel.Nifti1Image else None)


def itk(name, channels, vector, compressed=False):
    """SimpleITK's file of a vector image, whose numbers of a voxel lie side by side in MetaImage and NRRD, or of a 4-D image."""
    arrays = noise.integers(0, 3000, size=(channels, 3, 4, 5)).astype(np.int16)
    if vector:
        image = SimpleITK.GetImageFromArray(arrays.transpose(1, 2, 3, 0), isVector=True)
        image.SetSpacing((0.7, 0.9, 3.1))
        image.SetOrigin((1.5, -2, 30))
    else:
        image = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(each) for each in arrays])
        image.SetSpacing((0.7, 0.9, 3.1, 1))
        image.SetOrigin((1.5, -2, 30, 0))
    SimpleITK.WriteImage(image, str(folder / name), compressed)
    back = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / name)))
    assert (back == (arrays.transpose(1, 2, 3, 0) if vector else arrays)).all(), name
    return case(name, arrays)


def nrrd_list(name):
    """Slicer's sequences: the channels behind the axes of space, without a direction."""
    arrays = noise.integers(0, 99, size=(2, 3, 4, 5)).astype(np.int16)
    header = ["NRRD0005", "type: short", "dimension: 4", "space: left-posterior-superior", "sizes: 5 4 3 2",
              "space directions: (0.7,0,0) (0,0.9,0) (0,0,3.1) none", "kinds: domain domain domain list", "endian: little",
              "encoding: gzip", "space origin: (1.5,-2,30)", "", ""]
    (folder / name).write_bytes("\n".join(header).encode() + gzip.compress(arrays.tobytes(), mtime=0))
    back = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / name)))
    assert (back == arrays.transpose(1, 2, 3, 0)).all() or (back == arrays).all(), name
    return case(name, arrays)


cases = [
    nifti("decathlon.nii.gz", 2), nifti("plain.nii", 4), nifti("scaled.nii.gz", 2, slope=(0.5, -3)),
    nifti("two.nii.gz", 3, nibabel.Nifti2Image), itk("vector.nii.gz", 2, True), itk("vector.mha", 2, True, True),
    itk("vector.nrrd", 3, True, True), itk("four.nrrd", 2, False), itk("four.mha", 2, False), nrrd_list("list.nrrd")]
FILE.write_text(json.dumps(cases) + "\n")
