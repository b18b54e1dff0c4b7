"""Platt scaling as logistic regression without regularisation on Platt's smoothed targets, and Youden's J from scikit-learn's ROC."""

import numpy as np
from formula import score_case, write
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve


def case(seed, n, levels, prevalence):
    scores, labels = score_case(seed, n, levels, prevalence)
    logits = 8 * scores - 3
    p, q = labels.sum(), n - labels.sum()
    target = np.where(labels == 1, (p + 1) / (p + 2), 1 / (q + 2))
    # a smoothed target t is a positive of weight t and a negative of weight 1 - t
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    x = np.concatenate([logits, logits])[:, None]
    model.fit(x, np.concatenate([np.ones(n), np.zeros(n)]), sample_weight=np.concatenate([target, 1 - target]))
    fpr, tpr, thresholds = roc_curve(labels, logits, drop_intermediate=False)
    return {
        "seed": seed, "n": n, "levels": levels, "prevalence": prevalence,
        "a": float(model.coef_[0, 0]), "b": float(model.intercept_[0]),
        "operatingPoint": float(thresholds[np.argmax(tpr - fpr)]),
    }  # fmt: skip


write("calibration.json", {"cases": [case(11, 400, 0, 0.3), case(12, 400, 20, 0.1), case(13, 60, 0, 0.4), case(14, 3000, 0, 0.02)]})
