"""Makes fixtures/reference.json: what other programs (pydicom, Pillow, NumPy) make of the same bytes.

    pip install numpy==2.* pillow==12.* pydicom==3.*
    python reference.py PATH_OF_SHARED > fixtures/reference.json

The images here are made by a formula. Of the real samples only numbers at 40 places go into the file, never an image.
"""

import base64
import io
import json
import sys
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

warnings.simplefilter("ignore")
SHARED = sys.argv[1]
ROWS, COLUMNS = 12, 16


def text(data):
    return base64.b64encode(data).decode()


def pattern(count, levels):
    """Every level is reached, low ones and high ones side by side."""
    return np.array([(i * i * 7919 + i * 104729) % levels for i in range(count)])


def lut(first, bits, values, signed):
    item = Dataset()
    item.add_new(0x00283002, "SS" if signed else "US", [len(values), first, bits])
    item.LUTDescriptor = [len(values), first, bits]
    item[0x00283002].VR = "SS" if signed else "US"
    item.add_new(0x00283006, "OW", np.asarray(values, "<u2").tobytes())
    return Sequence([item])


def display(ds):
    """8-bit grey as floats, before rounding: modality LUT, VOI, inversion."""
    stored = ds.pixel_array
    if ds.SamplesPerPixel == 3:
        return stored @ np.array([0.299, 0.587, 0.114])
    modality = apply_modality_lut(stored, ds).astype(float)
    if "VOILUTSequence" in ds:
        top = 2 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1
        shown = apply_voi_lut(modality.astype(int), ds, prefer_lut=True) * 255.0 / top
    elif "WindowWidth" in ds:
        low, high = (-(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1) if ds.PixelRepresentation else (0, 2**ds.BitsStored - 1)
        if "ModalityLUTSequence" in ds:
            low, high = 0, 2 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
        elif "RescaleSlope" in ds:
            low, high = low * ds.RescaleSlope + ds.RescaleIntercept, high * ds.RescaleSlope + ds.RescaleIntercept
        shown = (apply_voi_lut(modality, ds) - float(low)) * 255.0 / float(high - low)
    elif ds.BitsStored <= 8:
        shown = modality * 255.0 / (2**ds.BitsStored - 1)
    else:
        shown = (modality - modality.min()) * 255.0 / (modality.max() - modality.min())
    return 255.0 - shown if ds.PhotometricInterpretation == "MONOCHROME1" else shown


def dicom(name, syntax=ExplicitVRLittleEndian, bits=12, allocated=16, signed=False, photometric="MONOCHROME2", strip=False, **attributes):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=syntax == ImplicitVRLittleEndian, is_little_endian=syntax != ExplicitVRBigEndian)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID = "1.2.840.10008.5.1.4.1.1.1", "1.2.3.4", "1.2.3"
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition, ds.AccessionNumber = "DX", "CHEST", "PA", "A-1"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 3 if photometric == "RGB" else 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, bits, bits - 1
    ds.PixelRepresentation, ds.PhotometricInterpretation = int(signed), photometric
    for key, value in attributes.items():
        setattr(ds, key, value)
    words = pattern(ROWS * COLUMNS * ds.SamplesPerPixel, 2**bits)
    if signed:
        words = words - 2 ** (bits - 1)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    kind = ("i" if signed else "u") + str(allocated // 8)
    ds.add_new(0x7FE00010, "OB" if allocated == 8 else "OW", words.astype(order + kind).tobytes())
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    data = out.getvalue()
    expected = display(pydicom.dcmread(io.BytesIO(data)))
    if strip:
        # From the SOP Class UID on, which is the first element behind the file meta group.
        data = data[data.index(bytes([0x08, 0x00, 0x16, 0x00])) :]
    return {"name": name, "bytes": text(data), "pixels": [round(float(v), 4) for v in expected.ravel()]}


def png(name, image, grey):
    out = io.BytesIO()
    image.save(out, "PNG")
    return {"name": name, "bytes": text(out.getvalue()), "pixels": [int(v) for v in np.asarray(grey).ravel()]}


def pngs():
    rgb = pattern(ROWS * COLUMNS * 3, 256).astype(np.uint8).reshape(ROWS, COLUMNS, 3)
    grey = rgb[..., 0].copy()
    alpha = rgb[..., 2].copy()
    wide = pattern(ROWS * COLUMNS, 65536).astype(np.uint16).reshape(ROWS, COLUMNS)
    palette = Image.fromarray(rgb).quantize(16)
    bilevel = Image.fromarray(grey).convert("1")
    return [
        png("grey", Image.fromarray(grey), grey),
        png("grey with alpha", Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]), grey),
        png("grey stored as RGBA", Image.fromarray(np.dstack([grey, grey, grey, alpha])), grey),
        png("colour", Image.fromarray(rgb), Image.fromarray(rgb).convert("L")),
        png("palette", palette, palette.convert("RGB").convert("L")),
        png("one bit", bilevel, bilevel.convert("L")),
        png("16 bit", Image.fromarray(wide), np.floor(wide / 257.0 + 0.5)),
    ]


def smooth(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return np.clip(128 + 70 * np.sin(x / 9.0) + 50 * np.cos(y / 7.0 + x / 31.0), 0, 255).astype(np.uint8)


def squashed():
    image = Image.fromarray(smooth(160, 120))
    return png("lanczos", image, image.resize((40, 40), Image.LANCZOS))


def npys():
    values = (pattern(12, 4001) - 2000) / 64.0
    arrays = {
        "float32": values.astype("<f4").reshape(3, 4),
        "float16": values.astype("<f2").reshape(2, 2, 3),
        "float64": values.astype("<f8"),
        "uint8": pattern(12, 256).astype("u1").reshape(1, 12),
    }
    made = {}
    for key, array in arrays.items():
        out = io.BytesIO()
        np.save(out, array)
        made[key] = {"bytes": text(out.getvalue()), "shape": list(array.shape), "values": [float(v) for v in array.ravel()]}
    return made


def places(grey):
    flat = np.asarray(grey, float).ravel()
    at = [(k * 7919 * 31) % flat.size for k in range(40)]
    return {"mean": round(float(flat.mean()), 4), "at": at, "pixels": [round(float(flat[i]), 4) for i in at]}


def samples():
    chest = pydicom.dcmread(f"{SHARED}/dicom-sample/CR-MONO1-10-chest_explicitLE.dcm")
    rgba = []
    for name in ["00000001_000", "00000116_034", "00001933_000"]:
        image = Image.open(f"{SHARED}/nih-sample/images-1024/{name}.png")
        rgba.append({"name": f"{name}.png", "mode": image.mode, **places(np.asarray(image.convert("RGB"))[..., 0])})
    return {"chest": places(display(chest)), "images": rgba}


CASES = [
    dicom("8 bit without window", bits=8, allocated=8),
    dicom("10 bit MONOCHROME1 with window", bits=10, photometric="MONOCHROME1", WindowCenter=500, WindowWidth=700),
    dicom("12 bit without window", bits=12),
    dicom("12 bit MONOCHROME1 without window, implicit VR", syntax=ImplicitVRLittleEndian, photometric="MONOCHROME1"),
    dicom("12 bit with window, big endian", syntax=ExplicitVRBigEndian, WindowCenter=2000, WindowWidth=1500),
    dicom("without preamble, explicit VR", strip=True, WindowCenter=1000, WindowWidth=4096),
    dicom("without preamble, implicit VR", syntax=ImplicitVRLittleEndian, strip=True, WindowCenter=1000, WindowWidth=4096),
    dicom("signed with slope, intercept and window", signed=True, RescaleSlope=2, RescaleIntercept=-100, RescaleType="US", WindowCenter=50, WindowWidth=3000),
    dicom("two windows: the first", WindowCenter=[1000, 3000], WindowWidth=[800, 100]),
    dicom("linear exact", WindowCenter=2048, WindowWidth=1024, VOILUTFunction="LINEAR_EXACT"),
    dicom("sigmoid", WindowCenter=2048, WindowWidth=1024, VOILUTFunction="SIGMOID"),
    dicom("VOI LUT, which goes before the window", bits=8, WindowCenter=100, WindowWidth=50, VOILUTSequence=lut(40, 10, [(i * i) // 20 for i in range(140)], False)),
    dicom("modality LUT and window", bits=10, WindowCenter=100, WindowWidth=200, ModalityLUTSequence=lut(0, 8, [255 - i // 4 for i in range(1024)], False)),
    dicom("RGB", bits=8, allocated=8, photometric="RGB", PlanarConfiguration=0),
]

print(json.dumps({"dicom": CASES, "png": pngs(), "squash": squashed(), "npy": npys(), "samples": samples()}, indent=None, separators=(",", ":")))
