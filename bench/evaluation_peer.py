"""What bench/evaluation.ts measures, by scikit-learn and numpy on a part of the same data: python evaluation_peer.py FOLDER.

Single-threaded, as a user would write it: one roc_auc_score a finding and resample, one mask a map and threshold.
"""

import json
import os
import resource
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

GRID = 224
ORIGINAL = 1024
FINDINGS = 14


def read(name, dtype, shape):
    return np.fromfile(os.path.join(sys.argv[1], name), dtype).reshape(shape)


def taps(size):
    position = np.maximum(0, (np.arange(GRID) + 0.5) * size / GRID - 0.5)
    low = np.minimum(np.floor(position).astype(int), size - 1)
    return low, np.minimum(low + 1, size - 1), position - low


def upsample(values):
    """Bilinear with half-pixel centres; the order of the operations is ours, so that no pixel changes sides at a threshold."""
    values = values.astype(np.float64)
    low, high, share = taps(values.shape[1])
    wide = values[:, low] + (values[:, high] - values[:, low]) * share
    low, high, share = taps(values.shape[0])
    return (wide[low] + (wide[high] - wide[low]) * share[:, None]).astype(np.float32)


def ious(values, box):
    x, y, width, height = box
    centres = (np.arange(GRID) + 0.5) * ORIGINAL / GRID
    inside = np.outer((centres >= y) & (centres < y + height), (centres >= x) & (centres < x + width))
    big = upsample(values).astype(np.float64)
    scaled = ((big - big.min()) / (big.max() - big.min()) * 255).astype(np.float32)
    result = np.empty(256)
    for threshold in range(256):
        region = scaled >= threshold
        result[threshold] = np.count_nonzero(region & inside) / np.count_nonzero(region | inside)
    return result


patients = read("patients", np.uint32, -1)
scores = read("scores", np.float32, (FINDINGS, -1))
labels = read("labels", np.uint8, (FINDINGS, -1))
draws = read("draws", np.int32, (-1, patients.max() + 1))
boxes = read("boxes", np.float64, (-1, 4))
maps = read("maps", np.float32, (len(boxes), -1))
side = int(maps.shape[1] ** 0.5)

start = time.perf_counter()
resampled = np.empty((len(draws), FINDINGS))
for r, drawn in enumerate(draws):
    weights = np.bincount(drawn, minlength=draws.shape[1])[patients]
    for finding in range(FINDINGS):
        resampled[r, finding] = roc_auc_score(labels[finding], scores[finding], sample_weight=weights)
auc_seconds = time.perf_counter() - start

start = time.perf_counter()
all_ious = [ious(values.reshape(side, side), box) for values, box in zip(maps, boxes)]
map_seconds = time.perf_counter() - start

json.dump(
    {
        "versions": f"numpy {np.__version__}, scikit-learn {sklearn.__version__}",
        "seconds": {"auc": auc_seconds, "maps": map_seconds},
        "peakMiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "auc": [roc_auc_score(labels[finding], scores[finding]) for finding in range(FINDINGS)],
        "intervals": np.percentile(resampled, [2.5, 97.5], axis=0).T.tolist(),
        "meanInterval": np.percentile(resampled.mean(axis=1), [2.5, 97.5]).tolist(),
        "ious": [values.tolist() for values in all_ious],
    },
    sys.stdout,
)
