"""Logistic regression on the same rows: what the trees have to beat, measured at every training."""

from __future__ import annotations

import numpy as np

from models.matrix import Encoding, Matrix
from models.metrics import Vector

STRENGTH = 0.02  # inverse of the penalty, on standardised columns
CLIP = 5.0  # standard deviations
MOST_ROWS = 50_000


def logistic_probability(seen: Matrix, label: Vector, asked: Matrix, encoding: Encoding) -> Vector:
    """Probability by a penalised logistic regression.

    Parameters
    ----------
    seen, asked
        Encoded rows, shapes (n, k) and (m, k); ``seen`` earliest first, of which the latest 50,000 are used.
    label
        0 or 1, shape (n,).

    Returns
    -------
    Shape (m,). Numbers enter as signed logarithms beside a flag for null, categories as one flag a value.
    """
    from sklearn.linear_model import LogisticRegression

    recent, target = _flags(seen[-MOST_ROWS:], encoding), label[-MOST_ROWS:]
    mean, spread = recent.mean(axis=0), recent.std(axis=0)
    varies = spread > 1e-9  # noqa: PLR2004 - rounding of a constant column

    def scaled(matrix: Matrix) -> Matrix:
        return np.asarray(np.clip((matrix[:, varies] - mean[varies]) / spread[varies], -CLIP, CLIP))

    model = LogisticRegression(C=STRENGTH, solver="newton-cholesky").fit(scaled(recent), target)
    return np.asarray(model.predict_proba(scaled(_flags(asked, encoding)))[:, 1])


def _flags(matrix: Matrix, encoding: Encoding) -> Matrix:
    columns = []
    for place, (name, kind) in enumerate(zip(encoding.names, encoding.kinds, strict=True)):
        values = matrix[:, place]
        if kind == "category":
            columns += [values == code for code in range(len(encoding.categories[name]) + 1)]
        else:
            columns.append(np.nan_to_num(np.sign(values) * np.log1p(np.abs(values))))
        columns.append(np.isnan(values))
    return np.column_stack(columns).astype(np.float64)
