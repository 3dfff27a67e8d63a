"""Settings of estimators that learn a critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rl_info.estimators.critics import CRITICS, CriticName
from rl_info.estimators.margins import MARGINS, Margins
from rl_info.estimators.training_config import TrainingConfig


@dataclass(frozen=True)
class VariationalConfig(TrainingConfig):
    """Settings of an estimator with a learned critic.

    Each pair of a minibatch is contrasted with all others of it. `validation` takes at most
    `candidates` samples.
    """

    critic: CriticName = "separable"
    """Network that scores pairs; `joint` costs batch_size times as much: lower that with it."""
    hidden_dim: int = 128
    """Units of each hidden layer."""
    hidden_layers: int = 2
    """Number of hidden layers."""
    embedding_dim: int = 32
    """Length of the embeddings of separable and bilinear critics."""
    margins: Margins = "rank"
    """Maps of the columns, learned in `fit`: `rank` (normal scores), `standard` or `raw`."""
    baseline: Literal["gaussian", "none"] = "gaussian"
    """What the critic's scores are added to: the log ratio of a fitted normal, or nothing."""
    candidates: int = 4096
    """Most samples contrasted with each other at once in `estimate`; memory grows as its square."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("critic", CRITICS), ("margins", MARGINS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}")
        if self.baseline not in ("gaussian", "none"):
            raise ValueError(f"baseline must be gaussian or none, got {self.baseline!r}")
        if min(self.hidden_dim, self.hidden_layers, self.embedding_dim) < 1:
            raise ValueError("hidden_dim, hidden_layers and embedding_dim must be at least 1")
        if self.candidates < 2:
            raise ValueError(f"candidates must be at least 2, got {self.candidates}")
