"""Bilinear resampling by SciPy's interpolation at half-pixel centres, and box regions pixel by pixel."""

import numpy as np
from formula import box_case, noise_map, write
from scipy.ndimage import map_coordinates


def resample(values, out_height, out_width):
    height, width = values.shape
    rows = (np.arange(out_height) + 0.5) * height / out_height - 0.5
    columns = (np.arange(out_width) + 0.5) * width / out_width - 0.5
    return map_coordinates(values.astype(np.float64), np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest")


def sampled(seed, height, width, out_height, out_width):
    # a square noise map cut to height x width, so that rows and columns cannot be confused
    values = noise_map(seed, max(height, width), (0, 0, 0, 0), 0)[:height, :width]
    out = resample(values, out_height, out_width).ravel()
    step = max(1, len(out) // 64)
    return {
        "seed": seed, "height": height, "width": width, "outHeight": out_height, "outWidth": out_width,
        "step": step, "samples": out[::step].tolist(), "mean": float(out.mean()),
    }  # fmt: skip


def box_area(seed, size):
    x, y, width, height = box_case(seed)
    inside = [
        (i, j)
        for i in range(size)
        for j in range(size)
        if x <= (j + 0.5) * 1024 / size < x + width and y <= (i + 0.5) * 1024 / size < y + height
    ]
    rows, columns = [i for i, _ in inside], [j for _, j in inside]
    return {"seed": seed, "size": size, "area": len(inside), "top": min(rows), "bottom": max(rows) + 1, "left": min(columns), "right": max(columns) + 1}


if __name__ == "__main__":
    write(
        "maps.json",
        {
            "resample": [sampled(1, 28, 28, 224, 224), sampled(2, 7, 5, 16, 33), sampled(3, 20, 20, 224, 224), sampled(4, 1, 3, 4, 9), sampled(5, 40, 30, 8, 12)],
            "boxes": [box_area(seed, size) for seed in range(1, 6) for size in (224, 96)],
        },
    )
