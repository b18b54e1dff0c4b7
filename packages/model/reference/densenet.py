"""Reference vectors of the networks, computed by PyTorch and torchvision in float64.

    python3 -m venv venv && venv/bin/pip install torch torchvision numpy
    venv/bin/python densenet.py > densenet.json          (PyTorch 2.15.0, torchvision 0.29.2: 20 s on two CPU cores)

Weights, running statistics and images come from `formula`, which ../src/networks/testing.ts writes again in TypeScript: nothing
but what the networks answer is in the file. Names and layouts in the formula are those of CXR Lens (kernels [h, w, in, out]).

densenet121: torchvision's own, 14 classes.
truncated:   torchvision's modules up to dense block 2, then batch norm and ReLU: the paper's Baseline.
small:       torchvision's DenseNet with blocks 4, 8 and growth 12; one training step's loss (Eq. 1), gradients and running statistics.
"""

import json
import re
import sys
import zlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

MEAN, STD = 0.5, 0.25
FINDING = 3


def formula(name, shape):
    """Uniform in [-1, 1): murmur3's finaliser of index and name."""
    x = (np.arange(np.prod(shape), dtype=np.uint64) * 0x9E3779B1 + zlib.crc32(name.encode())) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return (x / 2**31 - 1).reshape(shape)


def parameter(name, shape):
    values = formula(name, shape)
    kind = name.split(".")[-1]
    if kind == "kernel":
        return values * np.sqrt(6 / np.prod(shape[:-1]))
    return {"scale": 1, "offset": 0, "mean": 0, "variance": 1, "bias": 0}[kind] + 0.2 * values


def our_name(name):
    """features.denseblock1.denselayer2.conv1.weight -> network.block1.layer2.convolution1.kernel"""
    module, kind = name.rsplit(".", 1)
    module = module.removeprefix("features.")
    module = {"conv0": "stem.convolution", "norm0": "stem.norm", "norm5": "norm", "classifier": "head"}.get(module, module)
    module = re.sub(r"denseblock(\d+)\.denselayer(\d+)", r"block\1.layer\2", module)
    module = re.sub(r"\bconv(\d?)$", r"convolution\1", module)
    matrix = "convolution" in module or module == "head"
    kinds = {"weight": "kernel" if matrix else "scale", "bias": "bias" if matrix else "offset"}
    return f"network.{module}.{ {**kinds, 'running_mean': 'mean', 'running_var': 'variance'}[kind]}"


def to_torch(values):
    """[h, w, in, out] -> [out, in, h, w]; [in, out] -> [out, in]"""
    return torch.from_numpy(values.transpose({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[values.ndim]).copy())


def from_torch(tensor):
    return tensor.detach().numpy().transpose({4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim])


def fill(network):
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            tensor.copy_(to_torch(parameter(our_name(name), from_torch(tensor).shape)))
    return network


class Truncated(torch.nn.Module):
    def __init__(self):
        super().__init__()
        whole = torchvision.models.densenet121().features
        self.features = torch.nn.Sequential()
        for name, module in whole.named_children():
            self.features.add_module(name, module)
            if name == "denseblock2":
                break
        self.features.add_module("norm5", torch.nn.BatchNorm2d(512))
        self.classifier = torch.nn.Linear(512, 14)


def image(batch, size):
    return torch.from_numpy(0.5 + 0.5 * formula("image", (batch, 1, size, size)))


def forward(network, x):
    features = F.relu(network.features(((x - MEAN) / STD).repeat(1, 3, 1, 1)))
    return features, network.classifier(features.mean((2, 3)))


def explained(network):
    network = fill(network).double().eval()
    x = image(1, 224).requires_grad_()
    features, logits = forward(network, x)
    cam = torch.einsum("k,khw->hw", network.classifier.weight[FINDING], features[0])
    (gradient,) = torch.autograd.grad(logits[0, FINDING], x)
    gradient = gradient.flatten()
    places = [(index * 784 + 391) % (224 * 224) for index in range(64)]
    return {
        "logits": logits[0].tolist(),
        "cam": cam.flatten().tolist(),
        "gradientMax": gradient.abs().max().item(),
        "gradient": [[place, gradient[place].item()] for place in places],
    }


def trained():
    network = fill(torchvision.models.DenseNet(growth_rate=12, block_config=(4, 8), num_init_features=24, num_classes=14))
    network = network.double().train()
    x = image(4, 96)
    labels = (torch.from_numpy(formula("labels", (4, 14))) > 0.6).double()
    beta = (labels.numel() - labels.sum()) / labels.sum()
    _, logits = forward(network, x)
    loss = -(beta * labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)).sum(1).mean()
    loss.backward()
    tensors = {our_name(name): tensor for name, tensor in network.named_parameters()}
    statistics = {our_name(name): tensor for name, tensor in network.named_buffers() if not name.endswith("tracked")}
    watched = ["stem.convolution.kernel", "block1.layer2.norm1.scale", "block2.layer8.convolution2.kernel", "norm.offset", "head.kernel", "head.bias"]
    averages = ["stem.norm.mean", "stem.norm.variance", "block2.layer5.norm2.variance", "norm.mean", "norm.variance"]
    first = lambda tensor: from_torch(tensor).flatten()[:16].tolist()
    return {
        "beta": beta.item(),
        "loss": loss.item(),
        "gradients": {f"network.{name}": first(tensors[f"network.{name}"].grad) for name in watched},
        "statistics": {f"network.{name}": first(statistics[f"network.{name}"]) for name in averages},
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


result = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "finding": FINDING,
    "densenet121": explained(torchvision.models.densenet121(num_classes=14)),
    "truncated": explained(Truncated()),
    "small": trained(),
}
json.dump(rounded(result), sys.stdout)
sys.stdout.write("\n")
