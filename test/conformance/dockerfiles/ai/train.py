"""Fits a small model; the same numbers on every machine."""
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(7)
points = rng.normal(size=(200, 3))
labels = (points @ np.array([1.0, -2.0, 0.5]) > 0).astype(int)
model = LogisticRegression().fit(points, labels)
print(f"score {model.score(points, labels):.3f}")
