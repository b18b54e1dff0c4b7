"""Runs exported networks in onnxruntime and in Python's TensorFlow, and compares with what CXR Lens answered.

    python3 -m pip install --target packages -r elsewhere-requirements.txt
    PYTHONPATH=packages python3 elsewhere.py FOLDER          (../src/interop/export.slow.test.ts does both)

FOLDER holds, for every network, `<name>.onnx`, the SavedModel `<name>`, and raw float32 numbers: the images `<name>.image`, and what
CXR Lens answered, `<name>.<output>`. Prints {name: {engine: {output: greatest difference / greatest expected value}}}; a file that
ONNX's own checker refuses is an error.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf


def in_onnxruntime(file, images):
    onnx.checker.check_model(onnx.load(file), full_check=True)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": images})))


def in_tensorflow(folder, images):
    answer = tf.saved_model.load(folder).signatures["serving_default"]
    return {name: tensor.numpy() for name, tensor in answer(image=tf.constant(images)).items()}


def compared(folder, name):
    side = onnx.load(folder / f"{name}.onnx").graph.input[0].type.tensor_type.shape.dim[1].dim_value
    images = np.fromfile(folder / f"{name}.image", "<f4").reshape(-1, side, side, 1)
    answers = {"onnxruntime": in_onnxruntime(str(folder / f"{name}.onnx"), images), "tensorflow": in_tensorflow(str(folder / name), images)}
    errors = {}
    for engine, outputs in answers.items():
        expected = {output: np.fromfile(folder / f"{name}.{output}", "<f4").reshape(found.shape) for output, found in outputs.items()}
        errors[engine] = {output: float(np.abs(outputs[output] - right).max() / np.abs(right).max()) for output, right in expected.items()}
    return errors


folder = Path(sys.argv[1])
json.dump({file.stem: compared(folder, file.stem) for file in sorted(folder.glob("*.onnx"))}, sys.stdout)
