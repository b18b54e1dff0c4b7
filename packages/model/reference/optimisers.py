"""Three parameters under torch.optim.SGD and Adam in double precision: optimisers.json.

    python3 -m venv venv && venv/bin/pip install torch          (PyTorch 2.15.0: seconds)
    venv/bin/python optimisers.py > optimisers.json
"""

import json

import torch

START = [1.0, -0.5, 0.003]
GRADIENTS = [[1.0, -2.0, 1e-6], [2.0, 0.5, -1e-6], [-1.0, 0.0, 3e-6], [0.25, 4.0, 0.0], [-3.0, 1.0, 1e-3]]


def steps(make):
    """The parameters after each of the steps."""
    weights = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser = make([weights])
    after = []
    for gradient in GRADIENTS:
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        after.append(weights.detach().tolist())
    return after


print(
    json.dumps(
        {
            "start": START,
            "gradients": GRADIENTS,
            "sgd": steps(lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9)),
            "adam": steps(lambda w: torch.optim.Adam(w, lr=0.001, betas=(0.9, 0.999))),
        },
        indent=2,
    )
)
