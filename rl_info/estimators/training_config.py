"""Settings that all estimators which learn have in common."""

from __future__ import annotations

from dataclasses import dataclass

from rl_info.estimators.base import EstimatorConfig
from rl_info.estimators.training import TrainingSettings


@dataclass(frozen=True)
class TrainingConfig(EstimatorConfig):
    """Settings of the training of an estimator that learns."""

    steps: int = 2000
    """Most optimiser steps."""
    batch_size: int = 256
    """Samples in each step."""
    learning_rate: float = 1e-3
    """Adam's step size at the start; it falls to zero along half a cosine."""
    weight_decay: float = 1e-2
    """Decoupled weight decay."""
    validation: float = 0.2
    """Share of the samples given to `fit` that only choose when to stop."""
    check_every: int = 50
    """Steps between two looks at the validation samples."""
    patience: int = 8
    """Looks without a new best after which training stops."""

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise ValueError(f"validation must lie between 0 and 1, got {self.validation}")
        self.training()

    def training(self) -> TrainingSettings:
        """Settings of the fit; raises ValueError for impossible ones."""
        return TrainingSettings(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            check_every=self.check_every,
            patience=self.patience,
        )
