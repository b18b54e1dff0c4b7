"""Reference values of the rigid motion, computed by torchvision's affine and PyTorch's grid_sample in float64.

    python3 -m venv venv && venv/bin/pip install torch torchvision
    venv/bin/python warp.py > warp.json          (PyTorch 2.15.0, torchvision 0.29.2: seconds)

moved:    torchvision.transforms.functional.affine, bilinear, nothing but black outside.
gradient: of sum(weights * moved) with respect to angle (radians), dx and dy (shares of the side), by autograd through affine_grid and
          grid_sample, whose values must be torchvision's.
"""

import json
import math

import torch
import torch.nn.functional as F
import torchvision

# Degrees clockwise, then shares of the side to the right and down; even and odd sides, a motion out of the image at the end.
CASES = [
    (8, 0, 0.13, -0.27),
    (9, 15, 0.01, -0.02),
    (8, -15, 0.1, -0.1),
    (9, 7.3, -0.04, 0.09),
    (8, 131, 0.3, 0.2),
    (9, -40, 1.05, 0.6),
]


def rounded(values):
    return [float(f"{value:.9g}") for value in values.flatten().tolist()]


def by_grid(image, angle, dx, dy):
    """Output points in [-1, 1] to the input's: the motion's inverse."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    inverse = torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])])
    shift = -inverse @ torch.stack([2 * dx, 2 * dy])
    theta = torch.cat([inverse, shift[:, None]], 1)[None]
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def main():
    generator = torch.Generator().manual_seed(0)
    cases = []
    for side, degrees, dx, dy in CASES:
        draw = lambda: torch.rand(1, 1, side, side, generator=generator, dtype=torch.float64)
        image, weights = draw(), 2 * draw() - 1
        motion = torch.tensor([math.radians(degrees), dx, dy], dtype=torch.float64, requires_grad=True)
        moved = torchvision.transforms.functional.affine(
            image,
            angle=degrees,
            translate=[dx * side, dy * side],
            scale=1.0,
            shear=[0.0, 0.0],
            interpolation=torchvision.transforms.InterpolationMode.BILINEAR,
        )
        ours = by_grid(image, *motion)
        # torchvision computes its grid in float32.
        assert (ours - moved).abs().max() < 1e-5, (ours - moved).abs().max()
        (weights * ours).sum().backward()
        case = {"side": side, "angle": degrees, "dx": dx, "dy": dy}
        arrays = {"image": image, "weights": weights, "moved": moved, "gradient": motion.grad}
        cases.append({**case, **{name: rounded(values) for name, values in arrays.items()}})
    print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__, "cases": cases}))


if __name__ == "__main__":
    main()
