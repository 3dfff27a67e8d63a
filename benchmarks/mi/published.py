"""Figures that others have published for the same tasks, to set ours beside."""

from __future__ import annotations

from collections.abc import Mapping

NORMALS_SOURCE = (
    "the public benchmark `mutinfo`: |truth − mean over 10 seeds| averaged over 1, 2 and 3 "
    "dimensions, n = 10,000, hyperparameters chosen by that error"
)
NORMALS: Mapping[str, Mapping[float, float]] = {
    "KSG": {2: 0.05, 4: 0.45, 6: 1.27, 8: 2.34, 10: 3.79},
    "Donsker–Varadhan": {2: 0.02, 4: 0.13, 6: 0.66, 8: 2.12, 10: 3.88},
    "NWJ": {2: 0.03, 4: 0.21, 6: 1.01, 8: 2.66, 10: 4.59},
    "InfoNCE": {2: 0.03, 4: 0.14, 6: 0.63, 8: 1.98, 10: 3.89},
    "weighted Kozachenko–Leonenko": {2: 0.02, 4: 0.29, 6: 0.65, 8: 1.59, 10: 3.01},
}
"""Mean absolute error in nats by the true information of correlated normals."""

TRUTHS_SOURCE = (
    "Czyż et al., arXiv 2306.11078, run with its public code: mean of 3 seeds, KSG with k = 10 at "
    "n = 5,000 and CCA at n = 10,000"
)
TRUTHS: Mapping[str, Mapping[str, float]] = {
    "normal-1x1": {"KSG": 0.413, "CCA": 0.412},
    "uniform-0.1-1x1": {"KSG": 1.665, "CCA": 1.627},
    "bimodal-1x1": {"KSG": 0.418, "CCA": 0.333},
    "wiggly-1x1": {"KSG": 0.412, "CCA": 0.380},
    "student-1-1x1": {"KSG": 0.150, "CCA": 0.191},
    "asinh-student-1-1x1": {"KSG": 0.225, "CCA": 0.0},
    "swiss-roll-2x1": {"KSG": 0.421, "CCA": 0.020},
    "normal-dense-5x5": {"KSG": 0.555, "CCA": 0.593},
    "normal-dense-25x25": {"KSG": 1.044, "CCA": 1.328},
}
"""Estimates in nats by task."""
