"""The protocols that score every pair once: NIH's boxes by scipy.ndimage (label, find_objects), patches by masks of all pixels."""

import numpy as np
from formula import box_case, noise_map, uniform, write
from localization import SIZE, pairs_of
from maps import resample
from scipy.ndimage import find_objects, label

EIGHT = np.ones((3, 3))


def parts(seed, size, rate):
    inside = np.array([[uniform(seed, i * size + j) < rate for j in range(size)] for i in range(size)])
    labels, _ = label(inside, structure=EIGHT)
    return {
        "seed": seed, "size": size, "rate": rate,
        "parts": [
            [int((labels == k + 1).sum()), rows.start, rows.stop, columns.start, columns.stop]
            for k, (rows, columns) in enumerate(find_objects(labels))
        ],
    }  # fmt: skip


def truth_mask(box):
    x, y, width, height = box
    centres = (np.arange(SIZE) + 0.5) * 1024 / SIZE
    return np.outer((centres >= y) & (centres < y + height), (centres >= x) & (centres < x + width))


def overlaps(box, values):
    truth = truth_mask(box)
    big = resample(values, SIZE, SIZE).astype(np.float32).astype(np.float64)
    if big.max() == big.min():
        return []
    scaled = ((big - big.min()) / (big.max() - big.min()) * 255).astype(np.float32)
    result = []
    for level in (60, 180):
        labels, _ = label(scaled >= level, structure=EIGHT)
        for where in find_objects(labels):
            detected = np.zeros((SIZE, SIZE), bool)
            detected[where] = True
            both = (detected & truth).sum()
            result.append([float(both / (detected | truth).sum()), float(both / detected.sum())])
    return result


def summary(result):
    """Number of boxes, best IoU, best IoBB, and both sums, which every single box would change."""
    if not result:
        return [0, 0, 0, 0, 0]
    ious, iobbs = np.array(result).T
    return [len(result), float(ious.max()), float(iobbs.max()), float(ious.sum()), float(iobbs.sum())]


def patch_iou(seed, cells):
    box = box_case(seed)
    values = noise_map(seed, cells, box, 0) * 0.75
    x, y, width, height = box
    centres = (np.arange(cells) + 0.5) * 1024 / cells
    inside = np.outer((centres >= y) & (centres < y + height), (centres >= x) & (centres < x + width))
    values = (values + 0.25 * inside).astype(np.float32)
    index = np.floor((np.arange(SIZE) + 0.5) * cells / SIZE).astype(int)
    region = (values > 0.5)[np.ix_(index, index)]
    truth = truth_mask(box)
    return {"seed": seed, "cells": cells, "iou": float((region & truth).sum() / (region | truth).sum())}


if __name__ == "__main__":
    write(
        "boxes.json",
        {
            "parts": [parts(1, 24, 0.3), parts(2, 24, 0.45), parts(3, 9, 0.7), parts(4, 5, 0)],
            # of pairs_of(500), in its order
            "nih": {"seed": 500, "pairs": [summary(overlaps(box, values)) for _, _, _, box, values in pairs_of(500)]},
            "patches": [patch_iou(seed, cells) for seed in range(1, 9) for cells in (20, 16, 7)],
        },
    )
