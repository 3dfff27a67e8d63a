"""Settings of multi-critic proximal policy optimisation."""

from __future__ import annotations

from dataclasses import dataclass

from agents.learners.network_config import NetworkConfig


@dataclass(frozen=True)
class PPOConfig(NetworkConfig):
    """Settings of multi-critic proximal policy optimisation (Schulman et al., arXiv 1707.06347).

    Raises ValueError for a value out of range, naming the field.
    """

    normalise_observations: bool = True
    """Standardise observations by their running mean and variance."""
    max_grad_norm: float | None = 1.0
    """Norm to which the gradients of actor and critics are clipped, each by itself."""
    scale_rate: float = 0.1
    """Rate of the running scale of a critic whose reward asks for normalisation."""
    rollout_length: int = 32
    """Steps of each world between two updates."""
    epochs: int = 5
    """Passes over the steps of a rollout in an update."""
    minibatches: int = 4
    """Parts that each pass is split into, with an optimiser step each."""
    lambda_: float = 0.95
    """λ of generalised advantage estimation."""
    clip: float = 0.2
    """ε: how far the ratio of new to old policy may leave 1 before its gradient is cut."""
    entropy_coefficient: float = 5e-3
    """Weight of the policy's entropy before squashing, in nats."""
    target_kl: float | None = 0.03
    """Stop an update once the policy has moved so far, in nats; None to make every pass."""
    learning_rate: float = 3e-4
    """Adam step size of actor and critics."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_at_least_one("rollout_length", "epochs", "minibatches")
        self._require_positive("clip", "learning_rate")
        self._require_share("lambda_")
        limit = self.target_kl
        self._require("target_kl", limit is None or limit > 0, "positive or None")
        self._require("entropy_coefficient", self.entropy_coefficient >= 0, "not negative")
