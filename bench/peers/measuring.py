"""What the peers share: arguments, images, timing as ours.ts does it, and the one JSON line.

FOLDER (export.ts) holds `images` [N, S, S] bytes, `labels` [N, 14] bytes, and per network `<network>.safetensors` and `<network>.onnx`.
"""

import argparse
import json
import math
import os
import time

import numpy as np

FINDINGS = 14
LEAST_SECONDS = 1  # of a run: shorter calls are repeated


def arguments(*flags):
    parser = argparse.ArgumentParser()
    for name in ("folder", "network", "task", "precision"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    return parser.parse_args()


def cores():
    return len(os.sched_getaffinity(0))


def read_images(args):
    """[B, S, S, 1], grey in [0, 1]"""
    labels = np.fromfile(f"{args.folder}/labels", np.uint8)
    pixels = np.fromfile(f"{args.folder}/images", np.uint8)
    side = math.isqrt(len(pixels) * FINDINGS // len(labels))
    return pixels.reshape(-1, side, side, 1)[: args.batch].astype(np.float32) / 255


def read_labels(args):
    """[B, 14], 0 or 1"""
    return np.fromfile(f"{args.folder}/labels", np.uint8).reshape(-1, FINDINGS)[: args.batch].astype(np.float32)


def peak_rss():
    """In bytes, of this process alone."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def seconds_of(work):
    calls, start = 0, time.perf_counter()
    while True:
        work()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= LEAST_SECONDS:
            return elapsed / calls


def report(args, subject, work, *, outputs, batches=1):
    """Times `work`, which computes that number of batches and was called at least once before; prints the measurement."""
    work()
    runs = sorted(seconds_of(work) / batches for _ in range(args.runs))
    median = runs[len(runs) // 2]
    line = {
        "subject": subject,
        "network": args.network,
        "task": args.task,
        "batch": args.batch,
        "secondsMedian": median,
        "imagesPerSecond": args.batch / median,
        "peakRssBytes": peak_rss(),
        "runs": len(runs),
        "outputs": [float(value) for value in outputs],
    }
    print(json.dumps(line), flush=True)
