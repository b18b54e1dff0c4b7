"""Reference vectors of Generative's network and of its loss, computed by PyTorch in float64.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python vae.py > vae.json          (PyTorch 2.15.0: 5 s on two CPU cores)

Weights, running statistics, images and noise come from `formula`, which ../src/networks/testing.ts writes again in TypeScript: nothing
but what PyTorch answers is in the file. Names and layouts in the formula are those of CXR Lens (kernels [h, w, in, out]).

inference: logits, code and decoded image of the mean code.
trained:   one training step's loss, gradients and running statistics, with noise and a warm-up of one half.
elbo:      negative log likelihood and divergence by torch.distributions, of given tensors, with the gradients of weighted sums.
"""

import json
import sys
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

MEAN, STD = 0.5, 0.25
CHANNELS, LATENT, HIDDEN, SIZE, BATCH = (4, 8), 6, 10, 16, 4
SIDE = SIZE // 2 ** len(CHANNELS)
FLAT = SIDE * SIDE * CHANNELS[-1]
# Of a pixel in [0, 1], as in ../src/losses/elbo.ts.
PIXEL_SD = 0.1
WARMUP = 0.5


def formula(name, shape):
    """Uniform in [-1, 1): murmur3's finaliser of index and name."""
    x = (np.arange(np.prod(shape), dtype=np.uint64) * 0x9E3779B1 + zlib.crc32(name.encode())) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    return torch.from_numpy((x / 2**31 - 1).reshape(shape))


def parameter(name, shape):
    values = formula(name, shape)
    kind = name.split(".")[-1]
    if kind == "kernel":
        return values * np.sqrt(6 / np.prod(shape[:-1]))
    return {"scale": 1, "offset": 0, "mean": 0, "variance": 1, "bias": 0}[kind] + 0.2 * values


class Vae(torch.nn.Module):
    """Dense layers are torch.nn.Linear on vectors in the order rows, columns, channels."""

    def __init__(self):
        super().__init__()
        layers = {}
        for index, to in enumerate(CHANNELS):
            source = CHANNELS[index - 1] if index else 1
            last = index == 0
            layers[f"encoder.layer{index + 1}.convolution"] = torch.nn.Conv2d(source, to, 3, stride=2, padding=1, bias=False)
            layers[f"encoder.layer{index + 1}.norm"] = torch.nn.BatchNorm2d(to)
            layers[f"decoder.layer{index + 1}.norm"] = torch.nn.BatchNorm2d(to)
            layers[f"decoder.layer{index + 1}.convolution"] = torch.nn.Conv2d(to, source, 3, padding=1, bias=last)
        layers["code.mean"] = torch.nn.Linear(FLAT, LATENT)
        layers["code.logvariance"] = torch.nn.Linear(FLAT, LATENT)
        layers["decoder.dense"] = torch.nn.Linear(LATENT, FLAT, bias=False)
        layers["classifier"] = torch.nn.Linear(LATENT, HIDDEN)
        layers["head"] = torch.nn.Linear(HIDDEN, 14)
        self.layers = torch.nn.ModuleDict({name.replace(".", "/"): layer for name, layer in layers.items()})

    def layer(self, name):
        return self.layers[name.replace(".", "/")]

    def forward(self, x, noise=None):
        h = (x - MEAN) / STD
        for index in range(len(CHANNELS)):
            h = F.relu(self.layer(f"encoder.layer{index + 1}.norm")(self.layer(f"encoder.layer{index + 1}.convolution")(h)))
        flat = h.permute(0, 2, 3, 1).flatten(1)
        mean, log_variance = self.layer("code.mean")(flat), self.layer("code.logvariance")(flat)
        code = mean if noise is None else mean + (0.5 * log_variance).exp() * noise
        h = self.layer("decoder.dense")(code).unflatten(1, (SIDE, SIDE, CHANNELS[-1])).permute(0, 3, 1, 2)
        for index in reversed(range(len(CHANNELS))):
            h = F.relu(self.layer(f"decoder.layer{index + 1}.norm")(h))
            h = self.layer(f"decoder.layer{index + 1}.convolution")(F.interpolate(h, scale_factor=2, mode="nearest"))
        logits = self.layer("head")(F.relu(self.layer("classifier")(mean)))
        return {"logits": logits, "mean": mean, "logVariance": log_variance, "decoded": h.sigmoid()}


def named(network):
    """Our name, PyTorch's tensor, and how to bring one layout to the other."""
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        module, kind = name.removeprefix("layers.").replace("/", ".").rsplit(".", 1)
        if kind == "num_batches_tracked":
            continue
        norm = module.endswith(".norm")
        kinds = {"weight": "scale" if norm else "kernel", "bias": "offset" if norm else "bias", "running_mean": "mean", "running_var": "variance"}
        yield f"network.{module}.{kinds[kind]}", tensor, {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim]


def filled():
    network = Vae().double()
    with torch.no_grad():
        for name, tensor, layout in named(network):
            ours = parameter(name, tensor.permute(layout).shape)
            tensor.copy_(ours.permute(tuple(np.argsort(layout))))
    return network


def elbo(out, x):
    """Per image, in nats per pixel; the likelihood up to its constant."""
    likelihood = Normal(out["decoded"], PIXEL_SD)
    nll = (likelihood.log_prob(out["decoded"]) - likelihood.log_prob(x)).flatten(1).sum(1)
    kl = kl_divergence(Normal(out["mean"], (0.5 * out["logVariance"]).exp()), Normal(0.0, 1.0)).sum(1)
    return nll / x[0].numel(), kl / x[0].numel()


def image():
    return 0.5 + 0.5 * formula("image", (BATCH, 1, SIZE, SIZE))


def inference():
    out = filled().eval()(image())
    return {name: out[name][:1].flatten().tolist() for name in out}


def trained():
    network = filled().train()
    labels = (formula("labels", (BATCH, 14)) > 0.6).double()
    beta = (labels.numel() - labels.sum()) / labels.sum()
    out = network(image(), 2 * formula("noise", (BATCH, LATENT)))
    reconstruction, kl = elbo(out, image())
    cross_entropy = -(beta * labels * F.logsigmoid(out["logits"]) + (1 - labels) * F.logsigmoid(-out["logits"])).sum(1)
    loss = (reconstruction + WARMUP * (kl + cross_entropy)).mean()
    loss.backward()
    tensors = {name: (tensor, layout) for name, tensor, layout in named(network)}
    first = lambda tensor, layout: tensor.detach().permute(layout).flatten()[:16].tolist()
    gradients = {name: first(tensor.grad, layout) for name, (tensor, layout) in tensors.items() if tensor.grad is not None}
    statistics = {name: first(*tensors[name]) for name in tensors if name.endswith((".mean", ".variance"))}
    return {"loss": loss.item(), "gradients": gradients, "statistics": statistics}


def given():
    shapes = {"mean": (BATCH, LATENT), "logVariance": (BATCH, LATENT), "decoded": (BATCH, 1, SIZE, SIZE)}
    out = {name: 2 * formula(name, shape) for name, shape in shapes.items()}
    out["decoded"] = 0.5 + 0.25 * out["decoded"]
    for tensor in out.values():
        tensor.requires_grad_()
    reconstruction, kl = elbo(out, image())
    (reconstruction @ formula("upstream", (BATCH,)) + kl @ formula("upstream", (BATCH,))).backward()
    gradients = {name: tensor.grad.flatten()[:24].tolist() for name, tensor in out.items()}
    return {"reconstruction": reconstruction.tolist(), "kl": kl.tolist(), "gradients": gradients}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


result = {"torch": torch.__version__, "inference": inference(), "trained": trained(), "elbo": given()}
json.dump(rounded(result), sys.stdout)
sys.stdout.write("\n")
