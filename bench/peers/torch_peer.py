"""PyTorch with torchvision's networks on our weights, channels_last, every core; see measuring.py.

    python torch_peer.py --folder F --network truncated-densenet121 --task train --batch 32 --precision bf16 --runs 5 [--compile] [--cuda]

train, fgsm-train: one step of our trainer: Eq. 1, SGD with momentum 0.9, half of the batch replaced by FGSM images of the whole
batch by its own statistics, the averages left alone.  predict: logits.  saliency14: gradients of 14 logits of one image.
"""

import re

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import load_file

from measuring import FINDINGS, arguments, cores, read_images, read_labels, report

MEAN, STD = 0.5, 0.25  # as ours
EPSILON = 0.005
LEARNING_RATE, MOMENTUM = 1e-4, 0.9  # by the trainer's 0.01 fresh weights would turn rounding errors into other losses
STEPS_COMPARED = 3
PIXELS_COMPARED = 1009  # every one of so many


def truncated():
    """DenseNet-121 up to dense block 2, then batch norm and ReLU: the paper's Baseline."""
    whole = torchvision.models.densenet121(num_classes=FINDINGS)
    features = torch.nn.Sequential()
    for name, module in whole.features.named_children():
        features.add_module(name, module)
        if name == "denseblock2":
            break
    features.add_module("norm5", torch.nn.BatchNorm2d(512))
    whole.features, whole.classifier = features, torch.nn.Linear(512, FINDINGS)
    return whole


NETWORKS = {
    "truncated-densenet121": truncated,
    "densenet121": lambda: torchvision.models.densenet121(num_classes=FINDINGS),
    "resnet50": lambda: torchvision.models.resnet50(num_classes=FINDINGS),
}


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


def to_torch(tensor):
    """[h, w, in, out] -> [out, in, h, w]; [in, out] -> [out, in]"""
    return tensor.permute({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[tensor.dim()]).contiguous()


def load(args):
    network = NETWORKS[args.network]()
    found = load_file(f"{args.folder}/{args.network}.safetensors")
    names = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    if our_name("features.conv0.weight") in found:  # under our names, where torchvision has no such network
        found = {name: to_torch(found[our_name(name)]) for name in names}
    if sorted(found) != sorted(names):
        raise SystemExit(f"The weights are not those of {args.network}.")
    network.load_state_dict(found, strict=False)
    return network.to(device(args), memory_format=torch.channels_last)


def device(args):
    return "cuda" if args.cuda else "cpu"


class Peer:
    def __init__(self, args):
        self.args = args
        self.network = load(args)
        self.x = torch.from_numpy(read_images(args)).permute(0, 3, 1, 2).to(device(args))
        self.y = torch.from_numpy(read_labels(args)).to(device(args))
        positives = self.y.sum()
        self.beta = (self.y.numel() - positives) / positives if positives > 0 else torch.tensor(1.0, device=device(args))
        self.forward = torch.compile(self.logits) if args.compile else self.logits

    def logits(self, x):
        """[B, 1, S, S], grey in [0, 1] -> [B, 14]"""
        with torch.autocast(device(self.args), torch.bfloat16, enabled=self.args.precision == "bf16"):
            normalised = ((x - MEAN) / STD).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
            return self.network(normalised).float()

    def loss(self, x):
        """Eq. 1"""
        return F.binary_cross_entropy_with_logits(self.forward(x), self.y, pos_weight=self.beta, reduction="sum") / len(x)

    def batch_norm_averages(self, moving):
        for module in self.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.track_running_stats = moving

    def perturbed(self):
        """Eq. 3: FGSM on the first half"""
        self.batch_norm_averages(moving=False)
        x = self.x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.loss(x), x)
        self.batch_norm_averages(moving=True)
        half = len(x) // 2
        moved = (self.x[:half] + EPSILON * gradient[:half].sign()).clamp(0, 1)
        return torch.cat([moved, self.x[half:]])

    def train(self):
        self.network.train()
        optimiser = torch.optim.SGD(self.network.parameters(), LEARNING_RATE, MOMENTUM, fused=True)

        def step():
            x = self.perturbed() if self.args.task == "fgsm-train" else self.x
            optimiser.zero_grad()
            loss = self.loss(x)
            loss.backward()
            optimiser.step()
            return loss.item()

        return step, [step() for _ in range(STEPS_COMPARED)]

    def predict(self):
        self.network.eval()
        work = torch.inference_mode()(lambda: self.forward(self.x).cpu())
        return work, work().flatten()

    def saliency(self):
        self.network.eval().requires_grad_(False)

        # 14 backward passes through one forward pass take four times as long, and so do 14 at once by vmap.
        def gradients():
            x = self.x[:1].repeat(FINDINGS, 1, 1, 1).requires_grad_()
            (found,) = torch.autograd.grad(self.forward(x).diagonal().sum(), x)
            return found.cpu()

        return gradients, gradients().flatten(1)[:, ::PIXELS_COMPARED].flatten()


def main():
    args = arguments("compile", "cuda")
    torch.set_num_threads(cores())
    torch.manual_seed(0)
    if args.compile and args.task == "predict":
        torch._inductor.config.freezing = True  # weights as constants: batch norm is folded
    peer = Peer(args)
    work, outputs = {"train": peer.train, "fgsm-train": peer.train, "predict": peer.predict, "saliency14": peer.saliency}[args.task]()
    version = torch.__version__.split("+")[0]
    report(args, f"PyTorch {version} {args.precision}{', compiled' if args.compile else ''}", work, outputs=outputs)


main()
