"""MIST as an estimator: one pass of a trained network, no fitting."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import EstimatorWarning, Samples, check_pair
from rl_info.estimators.mist.levels import LEVELS
from rl_info.estimators.mist.predict import predict_quantiles
from rl_info.estimators.mist.rows import SIDE
from rl_info.estimators.mist.weights import SHIPPED, TrainedMIST, load_weights

FEWEST, MOST = 10, 500
"""Rows of the sets that the network was trained on."""


class BeyondTrainingWarning(EstimatorWarning):
    """A learned estimator was asked about samples unlike those that it was trained on."""


@dataclass(frozen=True)
class MISTConfig(EstimatorConfig):
    """Settings of MIST."""

    weights: Path = SHIPPED
    """File of weights with its description (`.json`) beside it."""


class MIST(Estimator):
    """Mutual information by supervised training (Gritsai et al. 2025, arXiv 2511.18945).

    A network that saw many sets of samples whose information was known predicts quantiles of the
    information of a new set. `value` is the mean of the quantiles 0.05 … 0.95, `std_error` half
    the distance from the quantile 0.16 to 0.84: the spread of the truths that such samples came
    with in training, not that of a repeated draw.

    Differs from the paper: the network is smaller; information-preserving normalisation of
    columns comes first (`rows.py`), so that any increasing maps of single columns change nothing;
    it is told how many rows and columns there are; quantiles are predicted on the scale ln(1 + I)
    and their levels calibrated on held-out sets.

    Limits: 10 to 500 rows, at most 32 columns a side; more rows are split into parts of 500 at
    most and the parts' quantiles averaged, with a warning, so the spread stays that of a part.
    Trained on elliptical and additive families: dependence that leaves linear correlation of
    normal scores at zero (a swiss roll, a spiral, a mixture) is mostly missed, and intervals mean
    nothing there. The 90% interval holds for 90% of sets over all training families, but only for
    62% of those with additive uniform noise, the hardest of them (`benchmarks/results/mist.json`).
    Not a bound. Not differentiable with respect to the samples.
    """

    bound: ClassVar[Bound] = "none"
    learns: ClassVar[bool] = False

    def __init__(
        self,
        config: MISTConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        config = MISTConfig() if config is None else config
        super().__init__(config, seed=seed, device=device)
        self.trained = _loaded(config.weights, str(self.device))
        if self.trained.model.config.target != "quantile":
            raise ValueError(f"{config.weights} predicts means; the estimator needs quantiles")

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Quantiles of I(X;Y) in nats for samples (N, X) and (N, Y).

        Raises ValueError for fewer than 10 samples or more than 32 columns a side.
        """
        left, right = self.check(x, y)
        asked = self.trained.asked_levels
        predicted = predict_quantiles(self.trained.model, self._parts(left, right), asked)
        values = predicted.mean(dim=0).double().cpu().numpy()
        low, high = np.interp([0.16, 0.84], LEVELS, values)
        return Estimate(
            value=float(values.mean()),
            std_error=float(high - low) / 2,
            bound=self.bound,
            quantiles={level: float(at) for level, at in zip(LEVELS, values, strict=True)},
        )

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError also for sizes that were never trained on."""
        left, right = check_pair(x, y, minimum=FEWEST, device=self.device)
        for name, matrix in (("x", left), ("y", right)):
            if matrix.shape[1] > SIDE:
                raise ValueError(
                    f"{name} has {matrix.shape[1]} columns and MIST was trained on {SIDE} at most: "
                    "compress it first, or use another estimator"
                )
        return left, right

    def _parts(self, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        count = -(-x.shape[0] // MOST)
        if count == 1:
            return [(x, y)]
        warnings.warn(
            f"MIST was trained on {MOST} samples at most: {x.shape[0]} are split into {count} "
            "parts, whose estimates are averaged",
            BeyondTrainingWarning,
            stacklevel=3,
        )
        size = x.shape[0] // count
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(x.shape[0], generator=generator)[: count * size].to(x.device)
        return [(x[part], y[part]) for part in order.split(size)]


@lru_cache(maxsize=4)
def _loaded(path: Path, device: str) -> TrainedMIST:
    """Weights are read and checked once per process."""
    return load_weights(path, device)
