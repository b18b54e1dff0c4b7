"""Makes reference.json: what `metrics` must say of small files, computed in another way.

    pip install numpy==2.4.6 scikit-learn==1.9.1
    cd apps/cli/src/metrics/tests
    PYTHONPATH=../../../../../packages/eval/reference python reference.py PATH_OF_SHARED > reference.json

`auc`: two models' scores of 60 images of 20 patients; AUC by scikit-learn, the difference by DeLong's covariance from all O(mn) pairs, the
interval over patients by repeated images (only the random numbers are shared with the project). `given`: the files of
failing-inputs/researcher, of which only results are kept.
"""

import csv
import json
import pathlib
import sys

import numpy as np
from localization import T, accuracy, ious_of
from sklearn.metrics import roc_auc_score
from xoshiro import Random

N, PATIENTS, RESAMPLES = 60, 20, 2000
SHARED = pathlib.Path(sys.argv[1]) / "failing-inputs/researcher"


def data():
    rows = []
    for i in range(N):
        labels = {"Cardiomegaly": int(i % 3 == 0), "Effusion": int(i * i % 7 in (1, 2))}
        a = {f: round((i * prime % 997) / 1000 + 0.25 * labels[f], 3) for f, prime in [("Cardiomegaly", 7919), ("Effusion", 6007)]}
        b = {f: round((i * prime % 991) / 1000 + 0.15 * labels[f], 3) for f, prime in [("Cardiomegaly", 7919), ("Effusion", 104729)]}
        rows.append({"image": f"{i % PATIENTS + 1:08d}_{i // PATIENTS:03d}", "patient": f"p{i % PATIENTS}", "labels": labels, "a": a, "b": b})
    return rows


def components(scores, labels):
    pairs = (scores[labels == 1][:, None] > scores[labels == 0][None]) + 0.5 * (scores[labels == 1][:, None] == scores[labels == 0][None])
    return pairs.mean(1), pairs.mean(0)


def delong(a, b, labels):
    va, wa = components(a, labels)
    vb, wb = components(b, labels)
    variance = (np.cov(va, vb) / len(va) + np.cov(wa, wb) / len(wa)) @ [1, -1] @ [1, -1]
    return {"aucA": va.mean(), "aucB": vb.mean(), "difference": va.mean() - vb.mean(), "variance": variance}


def over_patients(rows, model):
    rng = Random("0")
    patients = list(dict.fromkeys(row["patient"] for row in rows))
    draws = []
    for _ in range(RESAMPLES):
        drawn = [patients[rng.int(len(patients))] for _ in patients]
        images = [row for patient in drawn for row in rows if row["patient"] == patient]
        draws.append([roc_auc_score([r["labels"][f] for r in images], [r[model][f] for r in images]) for f in rows[0]["labels"]])
    draws = np.array(draws)
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return {f: [low[j], high[j]] for j, f in enumerate(rows[0]["labels"])}, np.percentile(draws.mean(1), [2.5, 97.5]).tolist()


def auc():
    rows = data()
    column = lambda model, finding: np.array([row[model][finding] for row in rows])
    findings = {}
    bootstrap, mean = over_patients(rows, "a")
    for f in rows[0]["labels"]:
        labels = column("labels", f)
        both = delong(column("a", f), column("b", f), labels)
        assert np.isclose(both["aucA"], roc_auc_score(labels, column("a", f)))
        findings[f] = {**both, "auc": roc_auc_score(labels, column("a", f)), "positives": int(labels.sum()), "bootstrap": bootstrap[f]}
    return {"rows": rows, "findings": findings, "meanBootstrap": mean}


def given_auc(name):
    text = (SHARED / "f5-metrics-auc" / f"{name}.csv").read_text()
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in text else ","))
    labels = {r["Image Index"][:-4]: r["Finding Labels"].split("|") for r in csv.DictReader((SHARED / "f5-metrics-auc/labels.csv").open())}
    of = lambda row: labels[row["Image Index"].split("/")[-1].removesuffix(".png")]
    columns = {"Cardiomegaly": "Cardiomegaly", "Effusion": "Pleural Effusion" if "Pleural Effusion" in rows[0] else "Effusion"}
    return {f: roc_auc_score([f in of(r) for r in rows], [float(r[c]) for r in rows]) for f, c in columns.items()}


def given_maps(name):
    """As localization.py, with files read by NumPy."""
    boxes = list(csv.DictReader((SHARED / name / "boxes.csv").open()))
    pairs = []
    for row in boxes:
        values = np.load(SHARED / name / "maps" / f"{row['Image Index'][:-4]}.{row['Finding Label']}.npy")
        box = [float(row[f"Bbox {k}"]) for k in "xywh"]
        pairs.append((row["Image Index"].split("_")[0], ious_of(box, np.ascontiguousarray(values, np.float32))))
    order = Random("folds/0").shuffle(sorted({p for p, _ in pairs}, key=int))
    part = {patient: i % 5 for i, patient in enumerate(order)}
    folds = []
    for k in range(5):
        choosing = [ious for p, ious in pairs if part[p] == k]
        quality = [sum(sum(ious[t] > i for i in T) for ious in choosing) for t in range(256)]
        equal = [t for t in range(256) if quality[t] == max(quality)]
        folds.append([ious[equal[(len(equal) - 1) // 2]] for p, ious in pairs if part[p] != k])
    return {
        "n": len(pairs),
        "meanIou": float(np.mean([np.mean(f) for f in folds])),
        "accuracy": {str(t): float(np.mean([accuracy(f, t) for f in folds])) for t in T},
    }


NAMES = ["extra-column", "pandas-index", "paths", "no-extension", "pleural-effusion", "semicolons"]
given = {"auc": {name: given_auc(name) for name in NAMES}, "maps": {name: given_maps(name) for name in ["f6-maps-of-14-findings", "f7-fortran-order"]}}
print(json.dumps({"auc": auc(), "given": given}, separators=(",", ":")))
