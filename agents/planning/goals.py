"""Goals of the episodes: the task's own, or places that random skills have visited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from agents.evaluation.goals import draw_visited
from agents.planning.aim import Aim
from agents.planning.skill_segments import SkillSegments
from agents.training.seeding import numpy_generator
from rl_info.rewards.inputs import StateEmbedding


@dataclass(frozen=True)
class DrawnGoals:
    """A goal for each of N worlds, taken from visited states."""

    place: Float[np.ndarray, "N P"]
    """Where to be, m."""
    obs: Float[np.ndarray, "N O"]
    """What the policy read there."""


def draw_goals(data: SkillSegments, count: int, seed: int) -> DrawnGoals:
    """Goals nearly uniform over the visited region, as zero-shot goals of an evaluation are."""
    points = data.places.reshape(-1, data.places.shape[-1]).astype(np.float64)
    index = draw_visited(points, count, numpy_generator(seed, "planning/goals"))
    obs = data.obs.reshape(-1, data.obs.shape[-1])
    return DrawnGoals(points[index].astype(np.float32), obs[index])


def goal_places(
    aim: Aim, drawn: DrawnGoals | None, signals: dict[str, Float[Tensor, "N D"]]
) -> Float[Tensor, "N P"]:
    """Where each world's thing shall be, m: as its signals say now, or as was drawn."""
    if aim.goal is not None:
        return signals[aim.goal]
    assert drawn is not None
    device = next(iter(signals.values())).device
    return torch.as_tensor(drawn.place, device=device)


def reads_goals(embedding: StateEmbedding, aim: Aim, signal_width: int | None) -> str | None:
    """Why goals cannot be states of the latent space, or None if they can.

    `signal_width` is the width of the side signal that the embedding reads, None for none.
    """
    source = embedding.state.source
    if embedding.state.reads_observation:
        if aim.goal is None:
            return None
        return "the latent space reads whole observations, and a goal of the task is a place alone"
    if source == aim.place and signal_width == aim.width:
        return None
    return f"the latent space reads {source!r}, of which a goal tells only a part"
