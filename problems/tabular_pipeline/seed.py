"""Predictions for rows of a table from rows with a known target."""

import numpy as np


def predict(train_x, train_y, test_x, kind):
    """Ridge regression on standardised columns; missing values are the column's mean."""
    x, y, z = (np.array(part, dtype=float) for part in (train_x, train_y, test_x))
    mean = np.nanmean(x, axis=0)
    scale = np.nanstd(x, axis=0) + 1e-12
    x, z = (np.nan_to_num((part - mean) / scale) for part in (x, z))
    weights = np.linalg.solve(x.T @ x + 1.0 * np.eye(x.shape[1]), x.T @ (y - y.mean()))
    answer = y.mean() + z @ weights
    if kind == "probability":
        answer = np.clip(answer, 0.0, 1.0)
    return answer
