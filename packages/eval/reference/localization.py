"""The localisation protocol of the paper, slow and direct: 256 regions a pair, masks of all pixels, folds by patient.

Only the random numbers are shared with the project: xoshiro.py.
"""

import numpy as np
from formula import box_case, noise_map, uniform, write
from maps import resample
from xoshiro import Random

T = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
FINDINGS = ["Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax"]
SIZE = 224


def pairs_of(seed):
    """34 images of 23 patients; every image has one to three findings; the last findings are rare."""
    pairs = []
    for image in range(34):
        patient = 1 + image % 23
        for j, finding in enumerate(FINDINGS):
            if uniform(seed, image * 8 + j) >= [0.9, 0.8, 0.5, 0.25, 0.12, 0.03, 0.0, 0.04][j]:
                continue
            case = seed + 10 + image * 8 + j
            box = box_case(case)
            size = [28, 7][image % 2]
            # the last image's map is constant: it has no region
            values = noise_map(case, size, box, [0, 0.25, 0.5, 1][image % 4]) if image < 33 else np.ones((size, size), np.float32)
            pairs.append((f"{patient:08d}_{image:03d}.png", str(patient), finding, box, values))
    return pairs


def ious_of(box, values):
    x, y, width, height = box
    centres = (np.arange(SIZE) + 0.5) * 1024 / SIZE
    inside = np.outer((centres >= y) & (centres < y + height), (centres >= x) & (centres < x + width))
    big = resample(values, SIZE, SIZE).astype(np.float32).astype(np.float64)
    if big.max() == big.min():
        return [0.0] * 256
    scaled = ((big - big.min()) / (big.max() - big.min()) * 255).astype(np.float32)
    return [float((inside & (scaled >= t)).sum() / (inside | (scaled >= t)).sum()) for t in range(256)]


def accuracy(values, t):
    return sum(v > t for v in values) / len(values)


def protocol(seed, fold_seed, resamples):
    pairs = [(image, patient, finding, ious_of(box, values)) for image, patient, finding, box, values in pairs_of(seed)]
    order = Random(f"folds/{fold_seed}").shuffle(sorted({p[1] for p in pairs}, key=int))
    part = {patient: i % 5 for i, patient in enumerate(order)}
    result = {}
    for finding in FINDINGS:
        own = [p for p in pairs if p[2] == finding]
        folds = []
        for k in range(5):
            choosing = [p for p in own if part[p[1]] == k]
            scored = [p for p in own if part[p[1]] != k]
            if not choosing or not scored:
                continue
            quality = [sum(sum(p[3][t] > i for i in T) for p in choosing) for t in range(256)]
            equal = [t for t in range(256) if quality[t] == max(quality)]
            threshold = equal[(len(equal) - 1) // 2]
            folds.append((threshold, [(p[1], p[3][threshold]) for p in scored]))
        if len(folds) < 2:
            result[finding] = {"pairs": len(own), "accuracy": None}
            continue
        curve = [[accuracy([v for _, v in scored], t) for _, scored in folds] for t in T]
        entry = {
            "pairs": len(own),
            "usable": len(folds),
            "thresholds": [threshold for threshold, _ in folds],
            "meanIou": float(np.mean([np.mean([v for _, v in scored]) for _, scored in folds])),
            "accuracy": [float(np.mean(c)) for c in curve],
            "sd": [float(np.std(c, ddof=1)) for c in curve],
        }
        if len(own) >= 10 and len(folds) == 5:
            entry["bands"] = bands(own, folds, f"bootstrap/{fold_seed}/{finding}", resamples)
        result[finding] = entry
    return result


def bands(own, folds, seed, resamples):
    patients = sorted({p[1] for p in own}, key=int)
    rng = Random(seed)
    draws = []
    for _ in range(resamples):
        weight = dict.fromkeys(patients, 0)
        for _ in patients:
            weight[patients[rng.int(len(patients))]] += 1
        used = [scored for _, scored in folds if sum(weight[p] for p, _ in scored) > 0]
        draws.append([np.mean([sum(weight[p] * (v > t) for p, v in s) / sum(weight[p] for p, _ in s) for s in used]) for t in T])
    return np.percentile(draws, [2.5, 97.5], axis=0).T.tolist()


if __name__ == "__main__":
    write("localization.json", {"seed": 500, "foldSeed": 3, "resamples": 300, "findings": protocol(500, 3, 300)})
