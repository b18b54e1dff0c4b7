"""Checkpoints of torchvision's networks with 14 outputs, as people save them, and the logits that PyTorch gives of images.

    python3 checkpoints.py FOLDER          (with torch and torchvision; apps/cli/src/commands/import.slow.test.ts does it)

FOLDER holds images, grey PNG of the networks' size. The networks are trained for two steps of random numbers, so that averages and counters
are no defaults. Writes <network>-<form>.pth, and files that are no network: odd.pth (every kind of tensor), module.pth, other.pth. Prints
{"logits": {<network>-<form>: [[...] an image]}, "odd": {name: [shape, values]}}.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn

FINDINGS = 14
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)


class Wrapped(nn.Module):
    """The network as an attribute, without its own head, as people's classes have it."""

    def __init__(self, network, name):
        super().__init__()
        head = "classifier" if hasattr(network, "classifier") else "fc"
        linear = getattr(network, head)
        setattr(network, head, nn.Identity())
        setattr(self, name, network)
        self.head = nn.Sequential(nn.Dropout(0.2), linear, nn.Sigmoid())


class Others:
    """A class of somebody's program."""


def trained(network):
    optimiser = torch.optim.Adam(network.parameters(), 1e-4)
    network.train()
    for _ in range(2):
        loss = nn.functional.binary_cross_entropy_with_logits(network(torch.randn(4, 3, 128, 128)), torch.rand(4, FINDINGS).round())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval(), optimiser


def answer(network, images):
    with torch.no_grad():
        return network(torch.stack([(image.expand(3, -1, -1) - MEAN) / STD for image in images])).tolist()


def forms(name, images):
    """Each form's checkpoint and options of torch.save, and the network's logits."""
    network, optimiser = trained(getattr(torchvision.models, name)(num_classes=FINDINGS))
    logits = answer(network, images)
    beside = {
        "epoch": 2,
        "optimizer": optimiser.state_dict(),
        "best_auc": np.float64(0.8),
        "aucs": np.array([0.7, 0.8]),
        "seen": np.int64(8),
        "random": np.random.get_state(),
        "args": argparse.Namespace(lr=1e-4, folder=pathlib.Path("runs")),
        "thresholds": torch.rand(FINDINGS),
    }
    yield "plain", network.state_dict(), {}, logits
    yield "parallel", {"state_dict": nn.DataParallel(network).state_dict(), **beside}, {}, logits
    yield "compiled", {"model_state_dict": nn.DataParallel(torch.compile(network)).state_dict()}, {}, logits
    yield "old", {"net": network.state_dict(), "loss": np.float32(1)}, {"_use_new_zipfile_serialization": False}, logits
    yield "lightning", {
        "state_dict": {**{f"model.{key}": value for key, value in network.state_dict().items()}, "criterion.pos_weight": torch.ones(14)}
    }, {}, logits
    torch.save(network, folder / "module.pth")
    half = {key: value.bfloat16() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    rounded = getattr(torchvision.models, name)(num_classes=FINDINGS).eval()
    rounded.load_state_dict(half)
    yield "bfloat16", {"model": half}, {}, answer(rounded, images)
    yield "wrapped", {"model": Wrapped(network, "cnn").state_dict()}, {}, logits


def odd():
    matrix = torch.arange(6.0).reshape(2, 3)
    return {
        "transposed": matrix.t(),
        "column": matrix[:, 1],
        "tied": matrix,
        "tied_again": matrix,
        "one": torch.tensor(2.5),
        "none": torch.zeros(0, 3),
        "sparse": torch.eye(2).to_sparse(),
        "parameter": nn.Parameter(torch.ones(2)),
        "half": torch.tensor([1.5, -2.0]).half(),
        "bfloat16": torch.tensor([1.5, -2.0]).bfloat16(),
        "double": torch.tensor([0.1, 3.0], dtype=torch.float64),
        "num_batches_tracked": torch.tensor(3),
    }


def main():
    images = [torch.from_numpy(np.asarray(Image.open(file)).astype(np.float32) / 255)[None] for file in sorted(folder.glob("*.png"))]
    logits = {}
    for network in ("densenet121", "resnet50"):
        for form, checkpoint, options, answers in forms(network, images):
            torch.save(checkpoint, folder / f"{network}-{form}.pth", **options)
            logits[f"{network}-{form}"] = answers
    tensors = odd()
    torch.save(tensors, folder / "odd.pth")
    torch.save({"state_dict": tensors, "config": Others()}, folder / "other.pth")
    values = {name: [list(tensor.shape), tensor.detach().to_dense().float().flatten().tolist()] for name, tensor in tensors.items()}
    json.dump({"logits": logits, "odd": values}, sys.stdout)


main()
