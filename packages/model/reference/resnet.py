"""Reference vectors of the residual networks, of pooling and of the patch grid, computed by PyTorch, torchvision and timm in float64.

    python3 -m venv venv && venv/bin/pip install torch torchvision timm numpy
    venv/bin/python resnet.py > resnet.json          (PyTorch 2.15.0, torchvision 0.29.2, timm 1.0.31: 60 s on two CPU cores)

Weights, running statistics and images come from `formula`, which ../src/networks/testing.ts writes again in TypeScript: nothing but what
the networks answer is in the file. Names and layouts in the formula are those of CXR Lens (kernels [h, w, in, out]).

resnet50: torchvision's own, 14 classes, average pooling.
nih:      torchvision's up to its last stage; 1 x 1 convolution, batch norm and ReLU; log-sum-exp pooling, r = 10, by torch.logsumexp.
trained:  nih with one bottleneck a stage, two in the first, at 64 x 64: one training step's W-CEL, gradients and running statistics. By the
          statistics of four images all 16 bottlenecks are too long a chain: PyTorch's own float32 is 1e-2 to 1e-1 off its float64 there.
patches:  timm's resnetv2_50, bilinear resampling to 20 x 20, 3 x 3 convolution, batch norm and ReLU, 1 x 1 convolution, and the products
          of Li et al. as products. timm pools after the first convolution and before batch norm and ReLU, which are in its first block.
          While no scale is negative, maximum and batch norm with fixed averages change places without a trace: the numbers are those of
          the paper's order (He et al. 2016, appendix), whose stem.norm is timm's stages.0.blocks.0.norm1. Their training steps differ.
          Both pad symmetrically, and both have the stride in the 3 x 3 convolution, where He et al.'s own code has it in the first 1 x 1.
lse, bilinear, adaptive: values of one map and their gradient with given upstream gradients.
"""

import json
import re
import sys
import zlib

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision

MEAN, STD = 0.5, 0.25
FINDING = 3
SHARPNESS = 10
GRID = 20


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
        # Half the variance of densenet.py's: with fixed averages the residuals would add up to logits of some thousands.
        return values * np.sqrt(3 / np.prod(shape[:-1]))
    return {"scale": 1, "offset": 0, "mean": 0, "variance": 1, "bias": 0}[kind] + 0.2 * values


def our_name(name):
    """backbone.layer2.0.downsample.1.weight -> network.stage2.block1.shortcut.norm.scale"""
    module, kind = name.rsplit(".", 1)
    module = module.removeprefix("backbone.")
    module = {"conv1": "stem.convolution", "bn1": "stem.norm", "stem.conv": "stem.convolution", "fc": "head"}.get(module, module)
    module = "stem.norm" if module == "stages.0.blocks.0.norm1" else module
    module = re.sub(r"^layer(\d+)\.(\d+)", lambda m: f"stage{m[1]}.block{int(m[2]) + 1}", module)
    module = re.sub(r"^stages\.(\d+)\.blocks\.(\d+)", lambda m: f"stage{int(m[1]) + 1}.block{int(m[2]) + 1}", module)
    module = module.replace("downsample.0", "shortcut.convolution").replace("downsample.1", "shortcut.norm").replace("downsample", "shortcut")
    module = re.sub(r"\bconv(\d?)$", r"convolution\1", module)
    module = re.sub(r"\bbn(\d)$", r"norm\1", module)
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
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(to_torch(parameter(our_name(name), from_torch(tensor).shape)))
    return network


def lse(x):
    """x* + (1/r) log mean exp(r (x - x*)) = (logsumexp(r x) - log n) / r, over the last two axes."""
    return (torch.logsumexp(SHARPNESS * x, (2, 3)) - np.log(x.shape[2] * x.shape[3])) / SHARPNESS


class Average(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet50(num_classes=14)
        self.head = self.backbone.fc
        self.backbone.layer4.register_forward_hook(lambda module, inputs, output: setattr(self, "features", output))

    def forward(self, x):
        logits = self.backbone(x)
        return self.features, logits


class Nih(torch.nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.backbone = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, blocks)
        del self.backbone.fc
        self.transition = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(2048, 2048, 1, bias=False), "norm": torch.nn.BatchNorm2d(2048)})
        self.head = torch.nn.Linear(2048, 14)

    def forward(self, x):
        for name, module in self.backbone.named_children():
            x = x if name == "avgpool" else module(x)
        features = F.relu(self.transition["norm"](self.transition["conv"](x)))
        return features, self.head(lse(features))


class Patches(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = timm.create_model("resnetv2_50", num_classes=0)
        self.patch = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(2048, 512, 3, padding=1, bias=False), "norm": torch.nn.BatchNorm2d(512)})
        self.head = torch.nn.Linear(512, 14)

    def forward(self, x):
        map = F.interpolate(self.backbone.forward_features(x), size=GRID, mode="bilinear", align_corners=False)
        features = F.relu(self.patch["norm"](self.patch["conv"](map)))
        patches = self.head(features.permute(0, 2, 3, 1))
        present = 1 - (0.98 + 0.02 * (1 - torch.sigmoid(patches))).flatten(1, 2).prod(1)
        return patches, torch.log(present / (1 - present))


def image(batch, size):
    return torch.from_numpy(0.5 + 0.5 * formula("image", (batch, 1, size, size)))


def three_channels(x):
    return ((x - MEAN) / STD).repeat(1, 3, 1, 1)


def explained(network):
    network = fill(network).double().eval()
    x = image(1, 224).requires_grad_()
    features, logits = network(three_channels(x))
    (gradient,) = torch.autograd.grad(logits[0, FINDING], x)
    gradient = gradient.flatten()
    places = [(index * 784 + 391) % (224 * 224) for index in range(64)]
    if isinstance(network, Patches):
        evidence = {"patches": features[0, :, :, FINDING].flatten().tolist()}
    else:
        evidence = {"cam": torch.einsum("k,khw->hw", network.head.weight[FINDING], features[0]).flatten().tolist()}
    return {
        "logits": logits[0].tolist(),
        **evidence,
        "gradientMax": gradient.abs().max().item(),
        "gradient": [[place, gradient[place].item()] for place in places],
    }


def trained():
    network = fill(Nih([2, 1, 1, 1])).double().train()
    labels = (torch.from_numpy(formula("labels", (4, 14))) > 0.6).double()
    positive, negative = (labels.numel() / count for count in (labels.sum(), labels.numel() - labels.sum()))
    _, logits = network(three_channels(image(4, 64)))
    loss = -(positive * labels * F.logsigmoid(logits) + negative * (1 - labels) * F.logsigmoid(-logits)).sum(1).mean()
    loss.backward()
    tensors = {our_name(name): tensor for name, tensor in network.named_parameters()}
    statistics = {our_name(name): tensor for name, tensor in network.named_buffers() if not name.endswith("tracked")}
    watched = [
        "stem.convolution.kernel",
        "stage1.block1.shortcut.convolution.kernel",
        "stage2.block1.convolution2.kernel",
        "stage1.block2.norm3.scale",
        "stage4.block1.shortcut.norm.offset",
        "transition.convolution.kernel",
        "transition.norm.scale",
        "head.kernel",
        "head.bias",
    ]
    averages = ["stem.norm.mean", "stage2.block1.shortcut.norm.variance", "stage4.block1.norm3.mean", "transition.norm.variance"]
    first = lambda tensor: from_torch(tensor).flatten()[:16].tolist()
    return {
        "loss": loss.item(),
        "gradients": {f"network.{name}": first(tensors[f"network.{name}"].grad) for name in watched},
        "statistics": {f"network.{name}": first(statistics[f"network.{name}"]) for name in averages},
    }


def mapped(operation, side, out, scale):
    """Value and gradient of an operation on one map [2, side, side, 3], both with the channels last."""
    x = torch.from_numpy(scale * formula("map", (2, side, side, 3))).permute(0, 3, 1, 2).requires_grad_()
    last = lambda tensor: tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor
    value = operation(x)
    upstream = torch.from_numpy(formula("upstream", out))
    (gradient,) = torch.autograd.grad((last(value) * upstream).sum(), x)
    return {"value": last(value).flatten().tolist(), "gradient": last(gradient).flatten().tolist()}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


result = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "timm": timm.__version__,
    "finding": FINDING,
    "resnet50": explained(Average()),
    "nih": explained(Nih([3, 4, 6, 3])),
    "trained": trained(),
    "patches": explained(Patches()),
    "lse": mapped(lse, 5, (2, 3), 1),
    "bilinear": mapped(lambda x: F.interpolate(x, size=7, mode="bilinear", align_corners=False), 3, (2, 7, 7, 3), 1),
    "adaptive": mapped(lambda x: F.adaptive_max_pool2d(x, 5), 8, (2, 5, 5, 3), 1),
}
json.dump(rounded(result), sys.stdout)
sys.stdout.write("\n")
