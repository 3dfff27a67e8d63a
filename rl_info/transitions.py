"""The batch that every reward values and every learner learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Transitions:
    """B steps (o, a, r, o') of skill-conditioned behaviour; all floats are float32.

    `skill` is the skill that chose `action`: a later resample never relabels it. `terminated` and
    `truncated` stay apart because only the first stops bootstrapping; `next_obs` and
    `next_signals` of the last step of an episode are those before the reset.
    """

    obs: Float[Tensor, "B O"]
    action: Float[Tensor, "B A"]
    """Action in [-1, 1], before scaling to the bounds of the environment."""
    reward: Float[Tensor, "B"]
    """Task reward of the environment."""
    next_obs: Float[Tensor, "B O"]
    terminated: Bool[Tensor, "B"]
    truncated: Bool[Tensor, "B"]
    skill: Float[Tensor, "B Z"]
    signals: Mapping[str, Float[Tensor, "B ..."]]
    """Named side signals of the environment at `obs`, such as `position`."""
    next_signals: Mapping[str, Float[Tensor, "B ..."]]
    """The same signals at `next_obs`."""
