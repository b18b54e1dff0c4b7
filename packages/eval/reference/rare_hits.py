"""Wilson intervals of clustered shares by statsmodels: the design effect from a regression on a constant with clustered errors.

Each pair is written as patient/number of folds that score it/number of those that hit.
"""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from formula import uniform, write
from statsmodels.stats.proportion import proportion_confint


def cases():
    yield "one pair a patient, two hit", [[i, 4, 4 if i < 2 else 0] for i in range(20)]
    yield "one pair a patient, all but one hit", [[i, 1, 0 if i == 5 else 1] for i in range(15)]
    yield "no pair hits, patients of one to three", [[i // 2 if i < 10 else i, 4, 0] for i in range(24)]
    yield "every pair hits", [[i // 2, 1, 1] for i in range(30)]
    yield "one patient has all hits", [[i // 3, 4, 4 if i < 3 else 0] for i in range(30)]
    yield "every pair hits in half of its folds", [[i // 2, 4, 2] for i in range(24)]
    yield "every patient has one hit and one miss", [[i // 2, 1, i % 2] for i in range(24)]
    yield "shares of folds", [[i // 2, 4, [0, 1, 0, 3, 0][i % 5]] for i in range(25)]
    for seed in range(40):
        n = 10 + int(uniform(seed, 0) * 60)
        patients = 2 + int(uniform(seed, 1) * n)
        rate = [0.02, 0.06, 0.94, 0.98][seed % 4]
        folds = [1, 4][seed % 2]
        yield f"seed {seed}", [
            [
                int(uniform(seed + 1, 2 * i) * patients),
                folds,
                sum(uniform(seed + 2, i * 8 + f) < (rate + uniform(seed + 3, i) * 0.02) for f in range(folds)),
            ]
            for i in range(n)
        ]


def interval(pairs):
    patient = np.array([p for p, _, _ in pairs])
    share = np.array([hits / folds for _, folds, hits in pairs])
    n, k = len(share), share.sum()
    clusters = np.unique(patient, return_inverse=True)[1]
    effect = None
    if 0 < k < n and clusters.max() > 0:
        # the constant is the mean; its clustered variance, with m / (m - 1), is that of the ratio estimator
        fit = sm.OLS(share, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True})
        clustered = float(fit.cov_params()[0, 0])
        binomial = k / n * (1 - k / n) / (n - 1)
        if clustered > 1e-15:
            effect = max(1.0, clustered / binomial)
    size = clusters.max() + 1 if effect is None else n / effect
    low, high = proportion_confint(k / n * size, size, alpha=0.05, method="wilson")
    return {"n": n, "k": float(k), "effect": effect, "size": float(size), "low": float(low), "high": float(high)}


if __name__ == "__main__":
    write("rare_hits.json", {"cases": [{"name": name, "pairs": " ".join("/".join(map(str, pair)) for pair in pairs), **interval(pairs)} for name, pairs in cases()]})
    path = pathlib.Path(__file__).with_name("rare_hits.json")
    value = json.loads(path.read_text())
    print(len(value["cases"]), "cases,", sum(c["effect"] is None for c in value["cases"]), "without a design effect")
