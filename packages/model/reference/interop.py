"""torchvision's state_dicts by name, type and shape, and what its networks answer, for the import of their weights.

    python3 -m venv venv && venv/bin/pip install torch torchvision numpy
    venv/bin/python interop.py > interop.json          (PyTorch 2.15.0, torchvision 0.29.2: 20 s on two CPU cores)

Weights, running statistics and the image come from `formula` of densenet.py, here of torchvision's own names and layouts, which
../src/interop/import-weights.test.ts writes again in TypeScript. Pixels are normalised with ImageNet's mean and standard deviation, one of
each per channel, before the first convolution pads with zeros. The state_dict is the one that torch.save would write of a network with 14
outputs, `num_batches_tracked` included.
"""

import json
import sys
import zlib

import numpy as np
import torch
import torchvision

MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).reshape(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).reshape(3, 1, 1)


def formula(name, shape):
    """Uniform in [-1, 1): murmur3's finaliser of index and name."""
    x = (np.arange(np.prod(shape), dtype=np.uint64) * 0x9E3779B1 + zlib.crc32(name.encode())) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return (x / 2**31 - 1).reshape(shape)


def parameter(name, shape):
    values = formula(name, shape)
    if len(shape) > 1:
        return values * np.sqrt(6 / np.prod(shape[1:]))
    return (1 if name.endswith((".running_var", ".weight")) else 0) + 0.2 * values


def answered(network):
    state_dict = {name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)] for name, tensor in network.state_dict().items()}
    network = network.double().eval()
    tensors = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape))))
        image = torch.from_numpy(0.5 + 0.5 * formula("image", (1, 1, 224, 224)))
        logits = network((image.repeat(1, 3, 1, 1) - MEAN) / STD)[0]
    return {
        "stateDict": state_dict,
        "logits": [float(f"{value:.8g}") for value in logits.tolist()],
    }


result = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "densenet121": answered(torchvision.models.densenet121(num_classes=14)),
    "resnet50": answered(torchvision.models.resnet50(num_classes=14)),
}
json.dump(result, sys.stdout)
sys.stdout.write("\n")
