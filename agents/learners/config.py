"""Settings of multi-critic soft actor-critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rl_info.nn import Precision

CriticSharing = Literal["trunk", "none"]


@dataclass(frozen=True)
class SACConfig:
    """Settings of multi-critic soft actor-critic (Haarnoja et al., arXiv 1812.05905).

    Raises ValueError for a value out of range, naming the field.
    """

    hidden_dim: int = 256
    """Units of each hidden layer of actor and critics."""
    hidden_layers: int = 2
    """Number of hidden layers of actor and critics."""
    ensemble_size: int = 2
    """Critics of each reward; the target is their minimum."""
    critic_sharing: CriticSharing = "trunk"
    """`trunk`: the critics of all rewards in one ensemble member share their hidden layers;
    `none`: every critic is a network of its own. The same for a single reward."""
    layer_norm: bool = True
    """Standardise the hidden layers of the critics, which allows more updates per step."""
    batch_size: int = 256
    """Steps in an update (with n_step > 1: sequences of n steps)."""
    n_step: int = 1
    """Steps of reward that are summed before the critic is asked for the rest."""
    actor_learning_rate: float = 3e-4
    """Adam step size of the actor."""
    critic_learning_rate: float = 3e-4
    """Adam step size of the critics."""
    temperature_learning_rate: float = 3e-4
    """Adam step size of the logarithm of the temperature."""
    adam_betas: tuple[float, float] = (0.9, 0.999)
    """Decay rates of Adam's first and second moments."""
    max_grad_norm: float | None = None
    """Norm to which the gradients of actor and critics are clipped, each by itself."""
    tau: float = 0.005
    """Share of the critics that moves into the target critics at each update."""
    initial_temperature: float = 1.0
    """Weight of the entropy at the start."""
    learn_temperature: bool = True
    """Adapt the temperature so that the entropy approaches its target."""
    target_entropy_scale: float = 1.0
    """The target entropy is minus this times the number of action dimensions, in nats."""
    scale_rate: float = 0.01
    """Rate of the running scale of a critic whose reward asks for normalisation."""
    normalise_observations: bool = False
    """Standardise observations by their running mean and variance."""
    precision: Precision = "float32"
    """`bfloat16` rounds the operands of the large matrix products; weights stay float32."""

    def __post_init__(self) -> None:
        for name in ("hidden_dim", "hidden_layers", "ensemble_size", "batch_size", "n_step"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("actor_learning_rate", "critic_learning_rate", "temperature_learning_rate"):
            self._require(name, getattr(self, name) > 0, "positive")
        for name in ("tau", "scale_rate"):
            self._require(name, 0 < getattr(self, name) <= 1, "in (0, 1]")
        self._require("initial_temperature", self.initial_temperature > 0, "positive")
        clip = self.max_grad_norm
        self._require("max_grad_norm", clip is None or clip > 0, "positive or None")
        in_range = all(0 <= beta < 1 for beta in self.adam_betas)
        self._require("adam_betas", in_range, "in [0, 1)")

    def _require(self, name: str, holds: bool, bound: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {bound}, got {getattr(self, name)}")
