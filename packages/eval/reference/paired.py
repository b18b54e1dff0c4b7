"""Two AUCs of the same images: MLstatkit's DeLong test, checked by a direct O(mn) sum; the bootstrap over patients with scikit-learn's weighted AUC;
Holm's correction by statsmodels; normal p-values by SciPy."""

import numpy as np
from formula import pair_case, uniform, write
from MLstatkit import Delong_test
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests
from xoshiro import Random


def components(scores, labels):
    positive, negative = scores[labels == 1], scores[labels == 0]
    psi = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    return psi.mean(axis=1), psi.mean(axis=0)


def direct(a, b, labels):
    (a10, a01), (b10, b01) = components(a, labels), components(b, labels)
    s10, s01 = np.cov([a10, b10]), np.cov([a01, b01])
    s = s10 / len(a10) + s01 / len(a01)
    return a10.mean(), b10.mean(), s[0, 0] + s[1, 1] - 2 * s[0, 1]


def case(seed, n, levels, prevalence, share):
    a, b, labels = pair_case(seed, n, levels, prevalence, share)
    # MLstatkit tests B - A
    z, p, _, _, auc_b, auc_a, info = Delong_test(labels, b, a)
    assert info["method"] == "delong"
    direct_a, direct_b, variance = direct(a, b, labels)
    assert abs(direct_a - auc_a) < 1e-12 and abs(direct_b - auc_b) < 1e-12 and abs(variance - info["var_diff"]) < 1e-12
    return {
        "seed": seed, "n": n, "levels": levels, "prevalence": prevalence, "share": share,
        "aucA": float(auc_a), "aucB": float(auc_b), "variance": float(info["var_diff"]), "z": float(z), "p": float(p),
    }  # fmt: skip


def bootstrap(cases, patients, resamples, seed):
    """Patients drawn once for all columns; a resample without both classes is left out of a column."""
    columns = [pair_case(*c) for c in cases]
    n = len(columns[0][0])
    patient = [int(uniform(77, i) * patients) for i in range(n)]
    number = {p: k for k, p in enumerate(dict.fromkeys(patient))}
    patient = np.array([number[p] for p in patient])
    rng = Random(seed)
    draws = [[] for _ in columns]
    means = []
    for _ in range(resamples):
        counts = np.zeros(len(number), int)
        for _ in range(len(number)):
            counts[rng.int(len(number))] += 1
        weight = counts[patient]
        drawn = []
        for (a, b, labels), own in zip(columns, draws):
            if weight[labels == 1].sum() == 0 or weight[labels == 0].sum() == 0:
                continue
            drawn.append(roc_auc_score(labels, a, sample_weight=weight) - roc_auc_score(labels, b, sample_weight=weight))
            own.append(drawn[-1])
        if drawn:
            means.append(np.mean(drawn))
    return {
        "patients": patients, "resamples": resamples, "seed": seed,
        "columns": [
            {"case": list(c), "difference": float(roc_auc_score(labels, a) - roc_auc_score(labels, b)), **summary(own)}
            for c, (a, b, labels), own in zip(cases, columns, draws)
        ],
        "mean": summary(means),
    }  # fmt: skip


def summary(draws):
    draws = np.array(draws)
    p = 2 * (1 + min((draws <= 1e-12).sum(), (draws >= -1e-12).sum())) / (len(draws) + 1)
    return {"draws": len(draws), "interval": np.percentile(draws, [2.5, 97.5]).tolist(), "p": float(min(1, p))}


def holm(values):
    return {"p": values, "adjusted": multipletests(values, method="holm")[1].tolist()}


if __name__ == "__main__":
    z = [0.0, 1e-9, 0.1, 0.5, 1.0, 1.96, 2.5, 3.5, 3.54, 4.0, 5.0, 8.0, 20.0, 37.0]
    write(
        "paired.json",
        {
            "normal": [{"z": value, "p": float(2 * norm.sf(value))} for value in z],
            "cases": [case(31, 400, 0, 0.3, 1.0), case(32, 400, 20, 0.3, 0.5), case(33, 300, 2, 0.5, 2.0), case(34, 30, 5, 0.2, 1.0), case(35, 2000, 50, 0.02, 3.0)],
            "bootstrap": bootstrap([(41, 240, 0, 0.3, 1.0), (42, 240, 10, 0.1, 0.3), (43, 240, 6, 0.06, 1.0)], 60, 300, "paired"),
            "holm": [
                holm([0.01, 0.04, 0.03, 0.005]),
                holm([0.5]),
                holm([0.2, 0.2, 0.9, 1.0, 0.7]),
                holm([0.04, 0.001, 0.001, 0.012, 0.3, 0.03, 0.0, 0.06]),
            ],
        },
    )
