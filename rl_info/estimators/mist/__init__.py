"""MIST: mutual information by supervised training (arXiv 2511.18945)."""

from __future__ import annotations

from rl_info.estimators.mist.estimator import MIST, BeyondTrainingWarning, MISTConfig

__all__ = ["MIST", "BeyondTrainingWarning", "MISTConfig"]
