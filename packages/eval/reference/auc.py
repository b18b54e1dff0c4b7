"""AUC by scikit-learn, DeLong's variance by its structural components, O(mn) and direct (DeLong et al. 1988, eq. 4 - 6)."""

import numpy as np
from formula import score_case, write
from sklearn.metrics import roc_auc_score


def delong(scores, labels):
    positive, negative = scores[labels == 1], scores[labels == 0]
    m, n = len(positive), len(negative)
    v10 = np.zeros(m)
    v01 = np.zeros(n)
    for i, x in enumerate(positive):
        psi = (x > negative) + 0.5 * (x == negative)
        v10[i] = psi.mean()
        v01 += psi / m
    return v10.mean(), v10.var(ddof=1) / m + v01.var(ddof=1) / n


def case(seed, n, levels, prevalence):
    scores, labels = score_case(seed, n, levels, prevalence)
    direct, variance = delong(scores, labels)
    auc = roc_auc_score(labels, scores)
    assert abs(auc - direct) < 1e-12
    return {
        "seed": seed, "n": n, "levels": levels, "prevalence": prevalence,
        "positives": int(labels.sum()), "auc": float(auc), "variance": float(variance),
    }  # fmt: skip


PREVALENCE = [0.128, 0.042, 0.182, 0.239, 0.068, 0.063, 0.022, 0.104, 0.071, 0.036, 0.043, 0.017, 0.045, 0.0034]

write(
    "auc.json",
    {
        "cases": [
            case(1, 400, 0, 0.3),
            case(2, 400, 20, 0.3),
            case(3, 400, 2, 0.5),
            case(4, 30, 5, 0.2),
        ],
        # one column a finding, as `metrics auc` reads them
        "table": [case(100 + j, 20000, 1000 if j % 2 else 0, p) for j, p in enumerate(PREVALENCE)],
    },
)
