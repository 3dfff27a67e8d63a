"""Settings that learners share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rl_info.nn import Precision

CriticSharing = Literal["trunk", "none"]


@dataclass(frozen=True)
class NetworkConfig:
    """Settings of actor and critics and of their optimisers.

    Raises ValueError for a value out of range, naming the field.
    """

    hidden_dim: int = 256
    """Units of each hidden layer of actor and critics."""
    hidden_layers: int = 2
    """Number of hidden layers of actor and critics."""
    critic_sharing: CriticSharing = "trunk"
    """`trunk`: the critics of all rewards in one ensemble member share their hidden layers;
    `none`: every critic is a network of its own. The same for a single reward."""
    sum_rewards: bool = False
    """One critic on the weighted sum of all rewards, instead of one for each: for comparison."""
    layer_norm: bool = False
    """Standardise the hidden layers of the critics."""
    precision: Precision = "float32"
    """`bfloat16` rounds the operands of the large matrix products; weights stay float32."""
    normalise_observations: bool = False
    """Standardise observations by their running mean and variance."""
    adam_betas: tuple[float, float] = (0.9, 0.999)
    """Decay rates of Adam's first and second moments."""
    max_grad_norm: float | None = None
    """Norm to which the gradients of actor and critics are clipped, each by itself."""
    scale_rate: float = 0.01
    """Rate of the running scale of a critic whose reward asks for normalisation."""

    def __post_init__(self) -> None:
        self._require_at_least_one("hidden_dim", "hidden_layers")
        self._require_share("scale_rate")
        clip = self.max_grad_norm
        self._require("max_grad_norm", clip is None or clip > 0, "positive or None")
        in_range = all(0 <= beta < 1 for beta in self.adam_betas)
        self._require("adam_betas", in_range, "in [0, 1)")

    def _require(self, name: str, holds: bool, bound: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {bound}, got {getattr(self, name)}")

    def _require_at_least_one(self, *names: str) -> None:
        for name in names:
            self._require(name, getattr(self, name) >= 1, "at least 1")

    def _require_positive(self, *names: str) -> None:
        for name in names:
            self._require(name, getattr(self, name) > 0, "positive")

    def _require_share(self, *names: str) -> None:
        for name in names:
            self._require(name, 0 < getattr(self, name) <= 1, "in (0, 1]")
