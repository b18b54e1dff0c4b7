"""Makes fixtures/npy.json: files that NumPy itself wrote, with the values it reads from them.

    pip install numpy==2.4.6
    python npy-reference.py > fixtures/npy.json

Each case: base64 of the file, shape, values in C order as text of the shortest number that reads back the same ("nan", "inf" by name).
`refused` holds files that `decodeNpy` refuses, with the code it gives and what numpy.load (allow_pickle=False) says: null where NumPy
reads it, which is a type that is no real number, or a whole number beyond 2^53.
"""

import base64
import io
import itertools
import json

import numpy as np

TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
EXTREMES = {"f2": [65504, -6e-8, 1 / 3], "f4": [3.4e38, -1e-45, 1 / 3], "f8": [1.7e308, -5e-324, 1 / 3], "i8": [2**53, -(2**53), 2**62], "u8": [2**53, 2**63, 3]}


def values(kind, shape):
    count = int(np.prod(shape, dtype=int))
    array = ((np.arange(count) * 7919) % 251).astype(float)
    if kind[0] == "f":
        array = (array - 100) / 8
    elif kind[0] == "i":
        array -= 120
    array = array.astype(kind)
    for at, value in enumerate(EXTREMES.get(kind, [np.iinfo(kind).max, np.iinfo(kind).min] if kind[0] in "iu" else [])[:count]):
        array[at] = np.array(value).astype(kind)
    return array.reshape(shape)


def text(value):
    return str(int(value)) if isinstance(value, (np.integer, np.bool_)) else repr(float(value))


def case(name, array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version, allow_pickle=False)
    read = np.load(io.BytesIO(out.getvalue()))
    assert np.array_equal(read, array, equal_nan=read.dtype.kind == "f"), name
    return {
        "name": name,
        "bytes": base64.b64encode(out.getvalue()).decode(),
        "shape": list(read.shape),
        "values": [text(v) for v in read.ravel(order="C")],
    }


def accepted():
    for kind, order in itertools.product(TYPES, "<>"):
        if order == ">" and kind[1] == "1":
            continue
        array = values(kind, (3, 4)).astype(order + kind)
        yield case(f"{order}{kind}", array)
        yield case(f"{order}{kind} Fortran", np.asfortranarray(array))
    yield case("bool", np.array([[True, False], [False, True]]))
    yield case("bool Fortran", np.asfortranarray(np.array([[True, True, False], [False, True, False]])))
    yield case("special values", np.array([np.nan, np.inf, -np.inf, -0.0], "<f4"))
    yield case("transposed in place", values("f4", (5, 3)).T)
    yield case("three dimensions, Fortran", np.asfortranarray(values("u2", (2, 3, 4))))
    yield case("four dimensions, Fortran, big endian", np.asfortranarray(values("f2", (2, 1, 3, 2)).astype(">f2")))
    yield case("one dimension", values("f4", (5,)))
    yield case("scalar", values("f8", ()))
    yield case("empty", values("f4", (0, 3)))
    yield case("empty, Fortran", np.asfortranarray(values("f4", (3, 0, 2))))
    yield case("format 2.0", values("f4", (2, 3)), (2, 0))
    yield case("format 3.0", values("f4", (2, 3)), (3, 0))


def raw(header, data=b"", version=(1, 0), length=None):
    header = header.encode()
    size = len(header) if length is None else length
    return b"\x93NUMPY" + bytes(version) + size.to_bytes(2 if version[0] == 1 else 4, "little") + header + data


def dictionary(descr="'<f4'", fortran="False", shape="(2, 2)", extra=""):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, {extra}}}\n"


def pickled():
    out = io.BytesIO()
    np.save(out, np.array([None, "x"], object), allow_pickle=True)
    return out.getvalue()


def structured():
    out = io.BytesIO()
    np.save(out, np.zeros(2, [("x", "<f4"), ("y", "<i4")]))
    return out.getvalue()


DATA = bytes(16)
# what is no array of real numbers, though NumPy reads some of it, and what NumPy itself refuses
REFUSED = {
    "fortran_order is no bool": ("CORRUPT", raw(dictionary(fortran="1"), DATA)),
    "fortran_order is text": ("CORRUPT", raw(dictionary(fortran="'True'"), DATA)),
    "fortran_order is missing": ("CORRUPT", raw("{'descr': '<f4', 'shape': (2, 2), }\n", DATA)),
    "a key too many": ("CORRUPT", raw(dictionary(extra="'order': 1, "), DATA)),
    "no dictionary": ("CORRUPT", raw("[1, 2]\n", DATA)),
    "an expression": ("CORRUPT", raw(dictionary(shape="(1 + 1, 2)"), DATA)),
    "a negative length": ("CORRUPT", raw(dictionary(shape="(-2, -2)"), DATA)),
    "a length that is no whole number": ("CORRUPT", raw(dictionary(shape="(2.0, 2)"), DATA)),
    "a shape without its comma": ("CORRUPT", raw(dictionary(shape="(4)"), DATA)),
    "a shape that is a list": ("CORRUPT", raw(dictionary(shape="[2, 2]"), DATA)),
    "format 4.0": ("UNSUPPORTED", raw(dictionary(), DATA, (4, 0))),
    "format 0.0": ("UNSUPPORTED", raw(dictionary(), DATA, (0, 0))),
    "format 1.1": ("UNSUPPORTED", raw(dictionary(), DATA, (1, 1))),
    "a header of 4 GB": ("CORRUPT", raw(dictionary(), DATA, (2, 0), 2**32 - 1)),
    "a header of 65,535 bytes in a short file": ("CORRUPT", raw(dictionary(), DATA, length=65535)),
    "a shape beyond all memory beside a 0": ("UNSUPPORTED", raw(dictionary(shape="(9999999999999999999, 0)"))),
    "a product beyond all memory": ("UNSUPPORTED", raw(dictionary(shape="(4294967296, 4294967296)"), DATA)),
    "a product beyond all memory beside a 0": ("UNSUPPORTED", raw(dictionary(shape="(4294967296, 4294967296, 0)"))),
    "a great product without its data": ("CORRUPT", raw(dictionary(shape="(1000000, 1000)"), DATA)),
    "65 dimensions": ("UNSUPPORTED", raw(dictionary(shape="(" + "1, " * 65 + ")"), bytes(4))),
    "cut off": ("CORRUPT", raw(dictionary(), DATA[:-1])),
    "no data": ("CORRUPT", raw(dictionary())),
    "objects": ("UNSUPPORTED", pickled()),
    "a structured type": ("UNSUPPORTED", structured()),
    "an unknown type": ("UNSUPPORTED", raw(dictionary(descr="'<f3'"), bytes(12))),
    "a type without its order": ("UNSUPPORTED", raw(dictionary(descr="'|f4'"), DATA)),
    "complex numbers": ("UNSUPPORTED", raw(dictionary(descr="'<c8'"), bytes(32))),
    "text": ("UNSUPPORTED", raw(dictionary(descr="'<U1'"), DATA)),
    "dates": ("UNSUPPORTED", raw(dictionary(descr="'<M8[s]'"), bytes(32))),
    "long doubles": ("UNSUPPORTED", raw(dictionary(descr="'<f16'"), bytes(64))),
    "a whole number that float64 does not hold": ("UNSUPPORTED", raw(dictionary(descr="'<i8'", shape="(1,)"), (2**53 + 1).to_bytes(8, "little"))),
}


def refused():
    for name, (code, data) in REFUSED.items():
        try:
            np.load(io.BytesIO(data))
            numpy_says = None
        except Exception as error:
            numpy_says = f"{type(error).__name__}: {str(error)[:80]}"
        yield {"name": name, "code": code, "bytes": base64.b64encode(data).decode(), "numpy": numpy_says}


print(json.dumps({"numpy": np.__version__, "accepted": list(accepted()), "refused": list(refused())}, separators=(",", ":")))
