"""What on-policy learning learns from."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from agents.learners.readout import Readout


@dataclass(frozen=True)
class Rollout:
    """What an update learns from, B = T·N steps in time-major order."""

    state: Float[Tensor, "B X"]
    action: Float[Tensor, "B A"]
    log_prob: Float[Tensor, " B"]
    """Log density of the action under the policy that took it."""
    advantage: Float[Tensor, " B"]
    """Weighted sum of the standardised advantages of all rewards."""
    target: Float[Tensor, "P B"]
    """What each output of the critics should be."""
    readout: Readout
    """How values are read from the outputs."""
