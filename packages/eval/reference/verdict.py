"""Verdicts on two runs, direct: folds, thresholds, scores, resamples, Holm and the Monte Carlo error counted one by one."""

import math

import numpy as np
from formula import uniform, write
from localization import T
from xoshiro import Random

FINDINGS = 8
PATIENTS = 23
COUNTS = [40, 34, 28, 16, 12, 10, 9, 0]
DRAWS = 20
RESAMPLES = 20000


def top(seed, level, j, i):
    """The highest IoU of pair i of finding j: in part the same for every run."""
    return min(1, level * (0.7 * uniform(900 + j, i) + 0.3 * uniform(seed + 40 + j, i)))


def table(seed, levels, columns):
    """Per finding {image: (patient, IoUs at each threshold)}; with one column of patients under 12 alone."""
    rows = []
    for j, count in enumerate(COUNTS):
        own = {}
        for i in range(count):
            patient = int(uniform(7, 100 * j + i) * PATIENTS)
            best = int(256 * uniform(seed + j, i))
            value = top(seed, levels[j], j, i)
            if columns == 1 and patient < 12:
                own[f"{j}-{i:02}.png"] = (patient, [value])
            elif columns == 256:
                own[f"{j}-{i:02}.png"] = (patient, [value * (1 - abs(t - best) / 256) for t in range(256)])
        rows.append(own)
    return rows


def parts(draw):
    # two patients have boxes, but no pair here
    shuffled = Random(f"folds/{draw}").shuffle(range(PATIENTS + 2))
    return {patient: index % 5 for index, patient in enumerate(shuffled)}


def choose(ious):
    hits = [sum(values[t] > limit for values in ious for limit in T) for t in range(256)]
    best = [t for t in range(256) if hits[t] == max(hits)]
    return best[(len(best) - 1) // 2]


def scores(own, first):
    """{image: (patient, [share of the folds with a hit, one a T])}"""
    hits = {image: [] for image in own}
    if own and all(len(values) == 1 for _, values in own.values()):
        hits = {image: [values[0]] for image, (_, values) in own.items()}
    else:
        for draw in range(first, first + DRAWS):
            part = parts(draw)
            for fold in range(5):
                choosing = [values for patient, values in own.values() if part[patient] == fold]
                if len(choosing) in (0, len(own)):
                    continue
                threshold = choose(choosing)
                for image, (patient, values) in own.items():
                    if part[patient] != fold:
                        hits[image].append(values[threshold])
    return {image: (own[image][0], [np.mean([v > t for v in values]) for t in T]) for image, values in hits.items() if values}


def difference(a, b):
    shared = sorted(set(a) & set(b))
    values = np.array([np.mean(a[image][1]) - np.mean(b[image][1]) for image in shared])
    at03 = np.array([a[image][1][2] - b[image][1][2] for image in shared])
    result = {"pairs": len(shared), "mean": None, "at03": None}
    if shared:
        rows = {}
        for row, image in enumerate(shared):
            rows.setdefault(a[image][0], []).append(row)
        names = sorted(rows)
        rng = Random("verdict/0")
        drawn = np.array([[rng.int(len(names)) for _ in names] for _ in range(RESAMPLES)]) if len(shared) >= 10 else None
        for name, own in (("mean", values), ("at03", at03)):
            result[name] = {"difference": float(own.mean()), "interval": None, "p": None}
            if drawn is not None:
                sums = np.array([own[rows[n]].sum() for n in names])
                sizes = np.array([len(rows[n]) for n in names])
                means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
                p = 2 * (1 + min((means <= 1e-12).sum(), (means >= -1e-12).sum())) / (RESAMPLES + 1)
                result[name] |= {"interval": np.percentile(means, [2.5, 97.5]).tolist(), "p": float(min(1, p))}
    return result


def verdicts(rows):
    """Holm by its definition: the largest of (m - k) p over the tests with a p no larger, k of them before it."""
    tested = sorted((row["mean"]["p"], index) for index, row in enumerate(rows) if row["mean"] and row["mean"]["p"] is not None)
    for row in rows:
        row.update(adjustedP=None, standardError=None, direction="no difference detected")
    for rank, (_, index) in enumerate(tested):
        steps = [(min(1, (len(tested) - k) * tested[k][0]), k) for k in range(rank + 1)]
        adjusted = max(step for step, _ in steps)
        source = next(k for step, k in steps if step == adjusted)
        p = tested[source][0]
        error = (len(tested) - source) * math.sqrt(p * (2 - p) / RESAMPLES)
        stands = adjusted + 2 * error < 0.05
        word = "higher" if rows[index]["mean"]["difference"] > 0 else "lower"
        rows[index].update(adjustedP=adjusted, standardError=error, direction=word if stands else "no difference detected")
    return rows


def case(a, b, first):
    tables = [table(*a), table(*b)]
    rows = [difference(scores(tables[0][j], first), scores(tables[1][j], first)) for j in range(FINDINGS)]
    return {"a": list(a), "b": list(b), "first": first, "findings": verdicts(rows)}


if __name__ == "__main__":
    # one level a finding
    flat = [0.9] * 8
    varied = [1.3, 0.9, 0.6, 1.1, 0.9, 1.4, 1.2, 0.9]
    single = [1.2, 1.0, 0.7, 0.9, 0.9, 0.9, 0.9, 0.9]
    near = [1.08, 1.04, 1.0, 0.9, 0.8, 1.0, 0.9, 0.9]
    write(
        "verdict.json",
        {
            "cases": [
                case((100, varied, 256), (300, flat, 256), 0),
                case((100, varied, 256), (300, flat, 256), 20),
                case((500, near, 256), (300, flat, 256), 0),
                case((700, single, 1), (300, flat, 256), 0),
            ]
        },
    )
