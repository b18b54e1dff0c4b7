"""The inputs of all references: the same formula as src/testing.ts."""

import json
import math
import pathlib

import numpy as np

MASK = 0xFFFFFFFF


def uniform(seed, index):
    h = (seed * 0x9E3779B1 + index * 0x85EBCA6B) & MASK
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & MASK
    h = ((h ^ (h >> 15)) * 0x846CA68B) & MASK
    return (h ^ (h >> 16)) / 2**32


def score_case(seed, n, levels, prevalence):
    labels = np.array([1 if uniform(seed + 1000, i) < prevalence else 0 for i in range(n)])
    scores = np.array([(uniform(seed, i) + 0.25 * labels[i]) / 1.25 for i in range(n)])
    return (np.floor(scores * levels) / levels if levels else scores), labels


def pair_case(seed, n, levels, prevalence, share):
    """A second score of the same images, correlated with the first by `share`."""
    first, labels = score_case(seed, n, levels, prevalence)
    second = np.array([(uniform(seed + 2000, i) + share * first[i]) / (1 + share) for i in range(n)])
    return first, (np.floor(second * levels) / levels if levels else second), labels


def box_case(seed):
    width = 64 + math.floor(uniform(seed, 1) * 448)
    height = 64 + math.floor(uniform(seed, 2) * 448)
    x = math.floor(uniform(seed, 3) * (1024 - width) * 8) / 8
    y = math.floor(uniform(seed, 4) * (1024 - height) * 8) / 8
    return x, y, width, height


def noise_map(seed, size, box, lift):
    x, y, width, height = box
    values = np.zeros((size, size), np.float32)
    for i in range(size):
        for j in range(size):
            cx, cy = (j + 0.5) * 1024 / size, (i + 0.5) * 1024 / size
            inside = x <= cx < x + width and y <= cy < y + height
            values[i, j] = math.floor(uniform(seed, i * size + j) * 65536) / 65536 + (lift if inside else 0)
    return values


def write(name, value):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(json.dumps(value, indent=1) + "\n")
