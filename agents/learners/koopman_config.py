"""Settings of Koopman dynamics with a latent LQR."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from agents.learners.network_config import NetworkConfig
from rl_info.dynamics.koopman import KoopmanConfig, RegulatorConfig


@dataclass(frozen=True)
class KoopmanLQRConfig(NetworkConfig):
    """Settings of Koopman dynamics with a latent LQR, which has no actor and no critics.

    Raises ValueError for a value out of range, or a setting of actor or critics, naming the field.
    """

    dynamics: KoopmanConfig = field(default_factory=KoopmanConfig)
    """The latents, and what they shall keep."""
    regulator: RegulatorConfig = field(default_factory=lambda: RegulatorConfig(horizon=40))
    """Costs and horizon of control."""
    size: Literal["tiny", "small", "12m"] = "tiny"
    """Widths of encoder and decoder, by name."""
    goal: tuple[float, ...] | None = None
    """Observation to bring about; None for the one with the greatest task reward so far."""
    exploration: float = 0.3
    """Standard deviation of the noise added to actions in training."""
    batch_size: int = 32
    """Sequences in an update."""
    sequence_length: int = 8
    """Observations in each of them."""
    learning_rate: float = 1e-3
    """Adam step size."""
    max_grad_norm: float | None = 1.0
    """Norm to which the gradient of the dynamics is clipped."""
    solve_interval: int = 50
    """Updates between solutions of the Riccati equation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_at_least_one("batch_size", "solve_interval")
        self._require_positive("learning_rate")
        self._require("exploration", self.exploration >= 0, "at least 0")
        longest = max(self.dynamics.neighbours, self.dynamics.prediction_steps)
        enough = self.sequence_length > longest
        self._require("sequence_length", enough, f"more than {longest}, as dynamics need")
        for item in fields(NetworkConfig):
            if item.name in ("max_grad_norm", "adam_betas"):
                continue
            same = getattr(self, item.name) == item.default
            self._require(item.name, same, f"{item.default}: there is no actor and no critic")
