"""Settings of multi-critic soft actor-critic."""

from __future__ import annotations

from dataclasses import dataclass

from agents.learners.network_config import NetworkConfig


@dataclass(frozen=True)
class SACConfig(NetworkConfig):
    """Settings of multi-critic soft actor-critic (Haarnoja et al., arXiv 1812.05905).

    Raises ValueError for a value out of range, naming the field.
    """

    layer_norm: bool = True
    """Standardise the hidden layers of the critics, which allows more updates per step."""
    ensemble_size: int = 2
    """Critics of each reward; the target is their minimum."""
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
    tau: float = 0.005
    """Share of the critics that moves into the target critics at each update."""
    initial_temperature: float = 1.0
    """Weight of the entropy at the start."""
    learn_temperature: bool = True
    """Adapt the temperature so that the entropy approaches its target."""
    target_entropy_scale: float = 1.0
    """The target entropy is minus this times the number of action dimensions, in nats."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_at_least_one("ensemble_size", "batch_size", "n_step")
        self._require_positive(
            "actor_learning_rate",
            "critic_learning_rate",
            "temperature_learning_rate",
            "initial_temperature",
        )
        self._require_share("tau")
