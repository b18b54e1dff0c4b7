#!/usr/bin/env python3
"""Turns a PyTorch checkpoint into a safetensors file, for `cxr-lens import` and any other reader of that format.

    python3 scripts/to-safetensors.py m.pth m.safetensors

IN   what torch.save wrote: a state_dict, or a dict that has it under state_dict, model_state_dict, model or net (--key names another),
     whatever lies beside it: optimiser, epoch, numpy numbers, hyperparameters. Of a CUDA device too.
OUT  the format of github.com/huggingface/safetensors, written here: float16, bfloat16 and float64 become float32, whole numbers keep
     their type, names stay. An existing file is replaced when the new one is complete.

Only tensors and plain data are unpickled (torch.load with weights_only), so that a file cannot run code. A pickled network
(torch.save(model)) is therefore refused, with the line that saves its weights. Needs PyTorch 2.0 or newer and nothing else; numpy numbers
beside the weights need 2.4. For files of strangers take 2.6 or newer: older ones have a flaw in weights_only (CVE-2025-32434).

Exit codes: 0 written, 2 refused with one sentence, 1 a fault of this script.
"""

import argparse
import ctypes
import hashlib
import json
import os
import pickletools
import re
import sys
import warnings
import zipfile

KEYS = ("state_dict", "model_state_dict", "model", "net")

# The first 14 bytes of torch.save's format before PyTorch 1.6: a pickled magic number.
LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
LEGACY_PICKLES = 4  # magic number, protocol, machine, object
PROTOCOL = 2  # of pickle: torch.save's default


class Refused(Exception):
    pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", metavar="IN", help="checkpoint that torch.save wrote (.pth, .pt, .ckpt, .bin, .tar)")
    parser.add_argument("output", metavar="OUT", help="safetensors file to write")
    parser.add_argument("--key", help="where the weights are in the checkpoint's dict; default: " + ", ".join(KEYS))
    args = parser.parse_args()
    try:
        convert(args)
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    return 0


def convert(args):
    check_input(args)
    torch = import_torch()
    found, path = find_weights(load(torch, args.input), args)
    tensors, left_out = plain_tensors(torch, found, args.input)
    digest = write(torch, tensors, args.output)
    values = sum(tensor.numel() for tensor in tensors.values())
    place = f"under {'.'.join(path)}" if path else "a state_dict"
    sys.stdout.write(f"{args.output}: {len(tensors)} tensors of {values:,} values ({args.input}, {place}); SHA-256 {digest}\n")
    if left_out:
        sys.stdout.write(f"Left out, because they are no tensors: {some(left_out)}.\n")


def check_input(args):
    if not os.path.exists(args.input):
        raise Refused(f"{args.input} does not exist; name a checkpoint that torch.save wrote.")
    if os.path.isdir(args.input):
        raise Refused(f"{args.input} is a folder; name a checkpoint file in it.")
    if os.path.isdir(args.output):
        raise Refused(f"{args.output} is a folder; name the file to write.")
    if os.path.exists(args.output) and os.path.samefile(args.input, args.output):
        raise Refused(f"{args.output} is the checkpoint itself; name another file to write.")
    with open(args.input, "rb") as file:
        head = file.read(16)
    if head[8:9] == b"{":
        raise Refused(f"{args.input} is a safetensors file already: cxr-lens import takes it as it is.")
    if zipfile.is_zipfile(args.input):
        with zipfile.ZipFile(args.input) as archive:
            names = archive.namelist()
        if any(name.split("/", 1)[-1] == "constants.pkl" for name in names):
            raise Refused(
                f"{args.input} is a TorchScript program, not a checkpoint. If you trust it, save its weights and convert these:\n"
                f"  {python_line('torch.jit.load', args.input)}"
            )
        if not any(name.split("/", 1)[-1] == "data.pkl" for name in names):
            raise Refused(f"{args.input} is a ZIP archive without PyTorch's data.pkl; name a checkpoint that torch.save wrote.")
    elif not head:
        raise Refused(f"{args.input} is empty; name a checkpoint that torch.save wrote.")
    elif head.startswith(b"PK"):
        raise Refused(f"{args.input} is cut off: a ZIP archive without its end; copy or download it again.")
    elif head.startswith(b"version https://"):
        raise Refused(f"{args.input} is a pointer of Git LFS, not the checkpoint itself; fetch that with: git lfs pull")
    elif not head.startswith(LEGACY):
        raise Refused(
            f"{args.input} is no checkpoint of torch.save (it starts with {head[:8].hex(' ')}); where the network is in memory, "
            "write one: torch.save(model.state_dict(), 'm.pth')"
        )


def import_torch():
    warnings.filterwarnings("ignore")  # numpy that is missing; storages of old files
    try:
        import torch
    except ImportError as error:
        raise Refused(f"PyTorch cannot be loaded by {sys.executable} ({error}); install it: {sys.executable} -m pip install torch")
    return torch


# Loading ---------------------------------------------------------------------------------------------------------------------------------


def inert(module, name, base=object):
    """A class that stands for `module.name` in a checkpoint: it takes whatever is given and keeps nothing, so nothing of it runs."""
    if base is dict:
        # The restricted unpickler fills plain dicts alone.
        members = {"__new__": lambda cls, *args, **kwargs: {}}
    else:
        members = {"__new__": lambda cls, *args, **kwargs: object.__new__(cls), "__init__": lambda self, *args, **kwargs: None}
        members["__setstate__"] = lambda self, state: None
    return type(name, (base,), {**members, "__module__": module})


# What training programs keep beside the weights, besides tensors and Python's own numbers, texts, lists and dicts.
BESIDE_WEIGHTS = [
    *(inert(f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *(inert("numpy", name) for name in ("dtype", "ndarray")),
    # Types that a numpy array or a defaultdict names.
    *(inert("builtins", kind) for kind in ("list", "dict", "int", "float", "bool", "str", "object")),
    inert("_codecs", "encode"),  # bytes; PyTorch 2.5 and newer build them
    inert("argparse", "Namespace"),
    inert("datetime", "datetime"),
    *(inert(module, name) for module in ("pathlib", "pathlib._local") for name in ("PosixPath", "WindowsPath", "Path")),
    inert("collections", "defaultdict", dict),
    inert("pytorch_lightning.utilities.parsing", "AttributeDict", dict),
    inert("lightning_fabric.utilities.data", "AttributeDict", dict),
    inert("lightning.fabric.utilities.data", "AttributeDict", dict),
]


# What torch.load builds everywhere.
OF_TENSORS = re.compile(
    r"(collections\.(OrderedDict|Counter)|_codecs\.encode|builtins\.(set|bytearray|complex)|torch\.\w+|torch\.cuda\.\w+Storage)$"
    r"|torch\.(_utils|_tensor|storage|serialization|nn\.parameter)\."
)


def load(torch, path):
    """What torch.load gives with weights_only, which builds nothing but tensors, plain data and BESIDE_WEIGHTS."""
    if hasattr(torch.serialization, "add_safe_globals"):
        torch.serialization.add_safe_globals(BESIDE_WEIGHTS)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(refusal(torch, path, error)) from error


def refusal(torch, path, error):
    names, in_dict, protocol = scan(path)
    if any(name.startswith("torch.nn.modules.") for name in names):
        network = "next(v for v in m.values() if hasattr(v, 'state_dict'))" if in_dict else "m"
        return (
            f"{path} holds a pickled network ({names[0]}), not its weights alone; to open it would run its code.\n"
            "Where that code can be imported, and if you trust the file, save the weights and convert these:\n"
            f"  {python_line('torch.load', path, network)}\n"
            "or, in the program that has the network: torch.save(model.state_dict(), 'm.pth')"
        )
    opened = {f"{kind.__module__}.{kind.__name__}" for kind in BESIDE_WEIGHTS}
    others = [name for name in names if name not in opened]
    if others:
        what = f"{path} also holds {some(others)}: objects of other programs are not opened, because that could run code."
        return f"{what}\nIn the program that wrote it, save the weights alone: torch.save(model.state_dict(), 'm.pth')"
    if names and not hasattr(torch.serialization, "add_safe_globals"):
        return f"{path} also holds {some(names)}, which PyTorch 2.4 and newer open; this is {torch.__version__}. Install a newer one."
    save = "In the program that wrote it, save again: torch.save(model.state_dict(), 'm.pth')"
    if protocol > PROTOCOL:
        return f"{path} was saved with pickle protocol {protocol}, of which only {PROTOCOL} is opened without running code.\n{save}"
    # torch wraps the unpickler's own words into a page of advice.
    text = str(error).strip()
    found = re.search(r"WeightsUnpickler error: (.*)", text) or re.match(r"(.*)", text)
    reason = (found.group(1) or type(error).__name__).rstrip(".")
    return f"{path} cannot be read by PyTorch {torch.__version__}: {reason}.\nCopy it again, in case it is cut off. {save}"


def scan(path):
    """Classes and functions that the checkpoint names, without those of tensors; whether its outermost object is a dict; the pickle's
    protocol. Builds nothing."""
    names, in_dict, protocol = [], False, 0
    try:
        for stream in pickles(path):
            names, in_dict = [], False
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "PROTO":
                    protocol = argument
                elif opcode.name == "EMPTY_DICT" and not names:
                    in_dict = True
                elif opcode.name == "GLOBAL":
                    names.append(argument.replace(" ", ".").replace("__builtin__.", "builtins."))
    except Exception:
        pass  # a damaged pickle: what it names until there
    return [name for name in dict.fromkeys(names) if not OF_TENSORS.match(name)], in_dict, protocol


def pickles(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.split("/", 1)[-1] == "data.pkl")
            with archive.open(name) as stream:
                yield stream
        return
    with open(path, "rb") as stream:
        for _ in range(LEGACY_PICKLES):
            yield stream


def python_line(loader, path, network="m"):
    """The command that saves the weights of a network that only its own code can open."""
    out = f"{os.path.splitext(path)[0]}-weights.pth"
    options = ", weights_only=False" if loader == "torch.load" else ""
    return f'python3 -c "import torch; m = {loader}({path!r}, map_location=\'cpu\'{options}); torch.save({network}.state_dict(), {out!r})"'


# Choosing --------------------------------------------------------------------------------------------------------------------------------


def find_weights(checkpoint, args):
    """The state_dict in the checkpoint, and the keys that lead to it."""
    if args.key is not None:
        value = checkpoint.get(args.key) if isinstance(checkpoint, dict) else None
        found = state_dicts(value, (args.key,))
        if not found:
            raise Refused(f"{args.input} has no weights under {args.key}; {contents(checkpoint)}")
    else:
        found = state_dicts(checkpoint, ())
    if not found:
        raise Refused(f"{args.input} has no weights under {', '.join(KEYS)}; {contents(checkpoint)}")
    if len(found) > 1:
        places = " and under ".join(".".join(path) for _, path in found)
        raise Refused(f"{args.input} has weights under {places}; choose one with --key {found[0][1][0]}")
    return found[0]


def state_dicts(value, path):
    if not isinstance(value, dict):
        return []
    inner = [found for key in KEYS for found in state_dicts(value.get(key), (*path, key))]
    return inner or ([(value, path)] if any(is_tensor(entry) for entry in value.values()) else [])


def is_tensor(value):
    return hasattr(value, "untyped_storage") or hasattr(value, "storage")


def contents(checkpoint):
    if not isinstance(checkpoint, dict):
        return f"it holds a {type(checkpoint).__name__}. Save a state_dict: torch.save(model.state_dict(), 'm.pth')"
    tensors = [
        f"{key} ({count} tensors)"
        for key, value in checkpoint.items()
        if isinstance(value, dict)
        for count in [sum(map(is_tensor, value.values()))]
        if count > 0
    ]
    if tensors:
        return f"there are tensors under {some(tensors)}; choose with --key"
    return f"its keys are {some(checkpoint) or 'none'}. Save a state_dict: torch.save(model.state_dict(), 'm.pth')"


# Writing ---------------------------------------------------------------------------------------------------------------------------------


def plain_tensors(torch, found, path):
    """Contiguous tensors of the format's types by name, and the names of entries that are none."""
    tensors, left_out = {}, []
    for name, value in found.items():
        if not is_tensor(value):
            left_out.append(str(name))
            continue
        if not isinstance(name, str):
            raise Refused(f"{path} names a tensor {name!r}; expected texts, as in a network's state_dict.")
        tensors[name] = plain(torch, value.detach(), f"{path}: tensor {name}")
    return tensors, left_out


def plain(torch, tensor, where):
    remedy = "Save the network's weights in float32: torch.save(model.float().state_dict(), 'm.pth')"
    if tensor.is_quantized or tensor.is_complex():
        raise Refused(f"{where} is of {tensor.dtype}, which has no place in float32. {remedy}")
    if tensor.device.type != "cpu":
        raise Refused(f"{where} has no values (device {tensor.device}). {remedy}")
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_floating_point():
        tensor = tensor.to(torch.float32)
    if tensor.dtype not in dtypes(torch):
        raise Refused(f"{where} is of {tensor.dtype}, which safetensors has no name for. {remedy}")
    return tensor.contiguous()


def dtypes(torch):
    names = {"float32": "F32", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
    names.update({"uint16": "U16", "uint32": "U32", "uint64": "U64"})
    return {getattr(torch, name): code for name, code in names.items() if hasattr(torch, name)}


def write(torch, tensors, path):
    """8 bytes of header length, JSON header, data: wide types first, so that every tensor is aligned. Gives the SHA-256."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        tensor = tensors[name]
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": dtypes(torch)[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            for part in [len(text).to_bytes(8, "little"), text, *(values(tensors[name]) for name in order)]:
                file.write(part)
                digest.update(part)
        os.replace(temporary, path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return digest.hexdigest()


def values(tensor):
    """The tensor's bytes in place, little endian: tensor.numpy() would need numpy."""
    if sys.byteorder != "little":
        raise Refused("This machine stores the high byte first; run the script on another one.")
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())) if size > 0 else b""


def some(names):
    names = [str(name) for name in names]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


if __name__ == "__main__":
    sys.exit(main())
