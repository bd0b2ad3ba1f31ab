"""One slice of a synthetic DICOM series, for fixtures_dicom.py and fixtures_segmentations.py."""
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1234"


def dataset(series, number, position, orientation, spacing, array, syntax=ExplicitVRLittleEndian, **elements):
    """One slice; `spacing` is of rows, columns and slices."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.4")
    meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.{series}.{number}")
    meta.TransferSyntaxUID = syntax
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.StudyDate, data.StudyTime = "20200102", "030405"
    data.AccessionNumber = data.ReferringPhysicianName = data.StudyID = ""
    data.Modality = "MR"
    data.Manufacturer = "Synthetic"
    data.SeriesDescription = "T1 über 5"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Grün^Anna", "P1", "", "F"
    data.StudyInstanceUID = f"{ROOT}.9"
    data.SeriesInstanceUID = f"{ROOT}.{series}"
    data.SeriesNumber, data.InstanceNumber = series, number
    data.FrameOfReferenceUID = f"{ROOT}.8"
    data.PositionReferenceIndicator = ""
    data.ImagePositionPatient = [f"{value:.10g}" for value in position]
    data.ImageOrientationPatient = [f"{value:.10g}" for value in orientation]
    data.PixelSpacing = [f"{value:.10g}" for value in spacing[:2]]
    data.SliceThickness = f"{spacing[2]:.10g}"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = array.shape[-2:]
    bits = array.dtype.itemsize * 8
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    data.PixelData = array.astype(array.dtype.newbyteorder("<")).tobytes()
    data["PixelData"].VR = "OW" if bits == 16 else "OB"
    for name, value in elements.items():
        setattr(data, name, value)
    return data
