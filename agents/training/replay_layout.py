"""How the parts of a step are packed into one row of floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from rl_info.transitions import Transitions


@dataclass(frozen=True)
class StepArrays:
    """One step of N worlds as numpy arrays of any float type; meanings as in `Transitions`.

    Observations are vectors, or uint8 images (C, H, W).
    """

    obs: Shaped[np.ndarray, "N ..."]
    action: Float[np.ndarray, "N A"]
    reward: Float[np.ndarray, " N"]
    next_obs: Shaped[np.ndarray, "N ..."]
    terminated: Bool[np.ndarray, " N"]
    truncated: Bool[np.ndarray, " N"]
    skill: Float[np.ndarray, "N Z"]
    signals: Mapping[str, Float[np.ndarray, "N _"]]
    next_signals: Mapping[str, Float[np.ndarray, "N _"]]


@dataclass(frozen=True)
class ReplayLayout:
    """Widths of the parts of a step, in the order in which a row holds them."""

    obs_dim: int
    action_dim: int
    skill_dim: int = 0
    signals: Mapping[str, int] = field(default_factory=dict)
    """Width of every side signal to store."""

    @cached_property
    def sizes(self) -> list[int]:
        """Widths of obs, next_obs, action, skill, signals, next signals, reward and both ends."""
        signals = list(self.signals.values())
        fixed = [self.obs_dim, self.obs_dim, self.action_dim, self.skill_dim]
        return [*fixed, *signals, *signals, 3]

    @property
    def width(self) -> int:
        """Floats in one row."""
        return sum(self.sizes)

    @cached_property
    def _slices(self) -> list[slice]:
        ends = np.cumsum(self.sizes).tolist()
        return [slice(end - size, end) for size, end in zip(self.sizes, ends, strict=True)]

    def describe(self) -> dict[str, Any]:
        """The widths as plain data, for checkpoints and messages."""
        return {
            "obs": self.obs_dim,
            "action": self.action_dim,
            "skill": self.skill_dim,
            "signals": dict(self.signals),
        }

    def write(self, rows: Float[np.ndarray, "N W"], step: StepArrays) -> None:
        """Pack one step of N worlds into their rows."""
        parts = [step.obs, step.next_obs, step.action, step.skill]
        parts += [step.signals[name] for name in self.signals]
        parts += [step.next_signals[name] for name in self.signals]
        for where, part in zip(self._slices, parts, strict=False):
            rows[:, where] = part
        rows[:, -3] = step.reward
        rows[:, -2] = step.terminated
        rows[:, -1] = step.truncated

    def truncate(self, rows: Float[np.ndarray, "N W"]) -> None:
        """Mark the steps in `rows` as truncated where they are not terminated."""
        rows[:, -1] = np.maximum(rows[:, -1], 1.0 - rows[:, -2])

    def read(self, rows: Float[Tensor, "B W"]) -> Transitions:
        """Views of the parts of `rows`."""
        obs, next_obs, action, skill, *rest = rows.split(self.sizes, dim=-1)
        reward, terminated, truncated = rest.pop().unbind(-1)
        count = len(self.signals)
        return Transitions(
            obs=obs,
            action=action,
            reward=reward,
            next_obs=next_obs,
            terminated=terminated.bool(),
            truncated=truncated.bool(),
            skill=skill,
            signals=dict(zip(self.signals, rest[:count], strict=True)),
            next_signals=dict(zip(self.signals, rest[count:], strict=True)),
        )
