"""Makes Tests/Fixtures/dicom: small DICOM files by pydicom, compressed by DCMTK's programs, and in reference.json
the pixels they were made from and the grids that SimpleITK (GDCM) finds for series of many orientations.

Needs numpy, pydicom and SimpleITK, and dcmcjpeg, dcmcjpls and dcmconv on the path (Debian's package dcmtk). Made with
pydicom 3.0.2, SimpleITK 2.5.7 and DCMTK 3.6.7.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from dicom_slices import dataset

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "dicom"
rng = np.random.default_rng(3)
reference = {"pixels": {}, "grids": []}


def single(name, array, values=None, **elements):
    """A series of one slice in a file of its own; `values` are what reading is to give, none where it is refused."""
    path = FOLDER / f"{name}.dcm"
    data = dataset(7, 1, [1, 2, 3], [1, 0, 0, 0, 1, 0], [2, 1.5, 3], array, **elements)
    data.save_as(path, enforce_file_format=True)
    if values is not None:
        reference["pixels"][name] = np.asarray(values, float).ravel().tolist()
    return path


def encodings():
    unsigned = rng.integers(0, 4096, (5, 7)).astype(np.uint16)
    signed = rng.integers(-1024, 3000, (5, 7)).astype(np.int16)
    small = rng.integers(0, 256, (5, 7)).astype(np.uint8)
    twelve = dict(BitsStored=12, HighBit=11)
    plain = single("unsigned16", unsigned, unsigned)
    single("signed16", signed, signed * 2.0 - 1024, RescaleSlope="2", RescaleIntercept="-1024")
    single("unsigned12", unsigned | 0xF000, unsigned, **twelve)  # overlays may lie in the bits above
    single("signed12", signed.astype(np.uint16) & 0x0FFF, np.where(signed > 2047, signed - 4096, signed),
           PixelRepresentation=1, **twelve)
    single("high-bits", unsigned << 4, unsigned, BitsStored=12, HighBit=15)
    single("unsigned8", small, small * 0.5, RescaleSlope="0.5", RescaleIntercept="0")
    single("signed8", small.view(np.int8), small.view(np.int8))
    single("monochrome1", unsigned, unsigned, PhotometricInterpretation="MONOCHROME1")
    single("implicit", unsigned, unsigned, syntax=ImplicitVRLittleEndian)
    subprocess.run(["dcmconv", "+tb", plain, FOLDER / "big-endian.dcm"], check=True)
    reference["pixels"]["big-endian"] = unsigned.ravel().tolist()
    words = single("words8", small, small)
    subprocess.run(["dcmconv", "+ti", words, words], check=True)
    data = pydicom.dcmread(plain)
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(FOLDER / "rle.dcm")
    reference["pixels"]["rle"] = unsigned.ravel().tolist()
    clean = single("temporary", unsigned, **twelve)
    for name, command in {"jpeg-lossless": ["dcmcjpeg", "+e1"], "jpeg-ls": ["dcmcjpls"]}.items():
        subprocess.run([*command, "+un", clean, FOLDER / f"{name}.dcm"], check=True)
        reference["pixels"][name] = unsigned.ravel().tolist()
    subprocess.run(["dcmconv", "+td", plain, FOLDER / "deflated.dcm"], check=True)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless  # only its name: it is refused before its pixels are looked at
    data.save_as(FOLDER / "jpeg-2000.dcm")
    clean.unlink()


def series():
    """An oblique series of 5 slices whose names say nothing of their order, and a second one beside it."""
    both = FOLDER / "two"
    angle = 0.3
    row = [np.cos(angle), np.sin(angle), 0]
    column = [0, 0, -1]
    normal = np.cross(row, column)
    y, x = np.mgrid[:32, :32]
    for place, name in enumerate(["IM3", "IM1", "scan.IMA", "b.dcm", "00"]):
        disc = ((y - 15) ** 2 + (x - 13 - place) ** 2 < 81) * 400 + rng.integers(0, 60, (32, 32))
        position = np.array([-20, 30, 40]) + normal * 2.5 * place
        for folder, number in [(FOLDER / "oblique", 5), (both, 5), (both, 6)]:
            folder.mkdir(exist_ok=True)
            if number == 6 and place > 2:
                continue
            data = dataset(number, 10 - place, position, row + column, [1.25, 1, 2.5], disc.astype(np.int16),
                           SeriesDescription="T1 über 5" if number == 5 else "")
            data.save_as(folder / (name if number == 5 else f"6-{place}.dcm"), enforce_file_format=True)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(FOLDER / "oblique")))
    sitk.WriteImage(reader.Execute(), str(FOLDER / "oblique.nii.gz"))


def grids():
    """What SimpleITK makes of series whose axes run along, across and oblique to the patient's, either way."""
    planes = {"axial": np.eye(3), "coronal": np.eye(3)[[0, 2, 1]], "sagittal": np.eye(3)[[1, 2, 0]]}
    a, b = 0.4, -0.25
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    planes["oblique"] = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    for plane, axes in planes.items():
        for signs in range(8):
            row, column, step = [axes[:, axis] * (-1 if signs >> axis & 1 else 1) for axis in range(3)]
            positions = [np.array([-11.5, 20.25, 7]) + 3.5 * place * step for place in range(6)]
            with tempfile.TemporaryDirectory() as folder:
                for place, position in enumerate(positions):
                    array = np.full((5, 4), place, np.int16)
                    data = dataset(5, place, position, [*row, *column], [1.5, 0.75, 3.5], array)
                    data.save_as(f"{folder}/{place}.dcm", enforce_file_format=True)
                reader = sitk.ImageSeriesReader()
                reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
                image = reader.Execute()
            reference["grids"].append({
                "name": f"{plane} {signs:03b}", "row": row.tolist(), "column": column.tolist(),
                "positions": [position.tolist() for position in positions],
                "spacing": image.GetSpacing(), "origin": image.GetOrigin(), "direction": image.GetDirection(),
                "first": int(sitk.GetArrayFromImage(image)[0, 0, 0]),
            })


shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(parents=True)
encodings()
series()
grids()
text = json.dumps(reference, separators=(",", ":"))
(FOLDER / "reference.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")
