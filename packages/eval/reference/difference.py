"""Paired bootstrap over patients of two curves, direct: each resample's accuracies from the drawn pairs, fold by fold."""

import numpy as np
from formula import uniform, write
from localization import T
from xoshiro import Random


def scored(seed, pairs, patients, folds):
    """IoUs of one curve: (patient, [one a fold, None where the pair is not scored])."""
    rows = []
    for i in range(pairs):
        patient = int(uniform(5, i) * patients)
        own = patient % folds if folds > 1 else None
        iou = 0.6 * uniform(seed, i) + 0.4 * uniform(6, i)
        rows.append((str(patient), [None if fold == own else iou * (1 - 0.02 * fold) for fold in range(folds)]))
    return rows


def accuracy(rows, weight, folds):
    values = []
    for fold in range(folds):
        used = [(weight[p], v[fold]) for p, v in rows if v[fold] is not None and weight[p] > 0]
        if used:
            total = sum(w for w, _ in used)
            values.append([sum(w for w, v in used if v > t) / total for t in T])
    return np.mean(values, axis=0)


def case(a, b, pairs, patients, resamples, seed):
    rows_a, rows_b = scored(a[0], pairs, patients, a[1]), scored(b[0], pairs, patients, b[1])
    names = sorted({p for p, _ in rows_a}, key=int)
    rng = Random(f"bootstrap/difference/{seed}")
    draws = []
    for _ in range(resamples):
        weight = dict.fromkeys(names, 0)
        for _ in names:
            weight[names[rng.int(len(names))]] += 1
        draws.append(accuracy(rows_a, weight, a[1]) - accuracy(rows_b, weight, b[1]))
    draws = np.array(draws)
    once = dict.fromkeys(names, 1)
    observed = accuracy(rows_a, once, a[1]) - accuracy(rows_b, once, b[1])
    return {
        "a": list(a), "b": list(b), "pairs": pairs, "patients": patients, "resamples": resamples, "seed": seed,
        "points": [summary(observed[t], draws[:, t]) for t in range(7)],
    }  # fmt: skip


def summary(observed, draws):
    p = 2 * (1 + min((draws <= 1e-12).sum(), (draws >= -1e-12).sum())) / (len(draws) + 1)
    return {"difference": float(observed), "interval": np.percentile(draws, [2.5, 97.5]).tolist(), "p": float(min(1, p))}


if __name__ == "__main__":
    write(
        "difference.json",
        # (seed, folds) of each curve
        {"cases": [case((51, 5), (52, 5), 60, 31, 300, 4), case((53, 1), (54, 1), 40, 40, 300, 0)]},
    )
