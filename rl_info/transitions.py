"""The batch that every reward values and every learner learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
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

    def rows(self, index: slice | Int[Tensor, " _R"]) -> Transitions:
        """Some of the steps."""
        return Transitions(
            obs=self.obs[index],
            action=self.action[index],
            reward=self.reward[index],
            next_obs=self.next_obs[index],
            terminated=self.terminated[index],
            truncated=self.truncated[index],
            skill=self.skill[index],
            signals={name: value[index] for name, value in self.signals.items()},
            next_signals={name: value[index] for name, value in self.next_signals.items()},
        )
