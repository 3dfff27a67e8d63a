"""What a policy sees of a world and does in it, and whether another world offers the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import gymnasium
import numpy as np
from jaxtyping import Int64

from envs.backends.batch import BatchWorld
from envs.vector_world import VectorWorld


@dataclass(frozen=True)
class Interface:
    """Named parts of the observation, bounds of the actions and the time between two of them."""

    env: str
    """Id of the environment."""
    observation: Mapping[str, int]
    """Width of every part of the observation, by name and in order."""
    action_low: tuple[float, ...]
    """Lowest action."""
    action_high: tuple[float, ...]
    """Highest action."""
    control_period: float | None
    """Seconds between two actions; None where the world does not tell."""

    @classmethod
    def of(cls, world: VectorWorld) -> Interface:
        """That of a world; raises ValueError if its actions are not a Box.

        The observation of a world that names no parts is a single part, which no other
        environment has.
        """
        box = world.single_action_space
        if not isinstance(box, gymnasium.spaces.Box):
            raise ValueError(f"{world.spec_id} has no Box of actions: {box}")
        layout = world.observation_layout or {f"observation of {world.spec_id}": _whole(world)}
        parts = {name: part.stop - part.start for name, part in layout.items()}
        period = None
        if isinstance(world, BatchWorld):
            period = world.task.num_substeps * float(world.task.model.opt.timestep)
        low, high = (tuple(map(float, bound)) for bound in (box.low, box.high))
        return cls(world.spec_id, parts, low, high, period)

    def columns_in(self, other: Interface) -> Int64[np.ndarray, " D"]:
        """Where in the observations of `other` the parts of this one lie, in order.

        Raises ValueError naming what is missing or different there.
        """
        problems = [*self._different_parts(other), *self._different_control(other)]
        if problems:
            raise ValueError(
                f"the skills were trained in {self.env} and cannot act in {other.env}: "
                + "; ".join(problems)
            )
        starts = dict(zip(other.observation, _starts(other.observation), strict=True))
        return np.concatenate(
            [np.arange(starts[name], starts[name] + width) for name, width in self._parts]
        ).astype(np.int64)

    @property
    def _parts(self) -> list[tuple[str, int]]:
        return list(self.observation.items())

    def _different_parts(self, other: Interface) -> list[str]:
        missing = [name for name in self.observation if name not in other.observation]
        problems = [f"its observation lacks {', '.join(missing)}"] if missing else []
        return problems + [
            f"{name} has {other.observation[name]} numbers instead of {width}"
            for name, width in self._parts
            if other.observation.get(name, width) != width
        ]

    def _different_control(self, other: Interface) -> list[str]:
        actions, others = len(self.action_low), len(other.action_low)
        if actions != others:
            return [f"its actions have {others} numbers instead of {actions}"]
        problems = []
        if (self.action_low, self.action_high) != (other.action_low, other.action_high):
            problems.append("its actions have other bounds")
        own, its = self.control_period, other.control_period
        if own is not None and its is not None and not math.isclose(own, its, rel_tol=1e-9):
            problems.append(f"it takes an action every {its:g} s instead of {own:g} s")
        return problems


def _starts(widths: Mapping[str, int]) -> list[int]:
    return np.cumsum([0, *widths.values()])[:-1].tolist()


def _whole(world: VectorWorld) -> slice:
    shape = world.single_observation_space.shape
    if shape is None or len(shape) != 1:
        raise ValueError(f"{world.spec_id} has no flat observation, but one of shape {shape}")
    return slice(0, shape[0])
