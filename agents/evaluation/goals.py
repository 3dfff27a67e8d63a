"""Zero-shot goal reaching: the latent space of a reward says which skill leads to a goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from agents.evaluation.coverage import AXES
from agents.evaluation.objects import OBJECTS
from agents.evaluation.rollouts import POSITION, Rollouts, SkillPolicy, collect_rollouts
from agents.evaluation.statistics import mean_interval, rate_interval
from envs.vector_world import VectorWorld
from rl_info.rewards.base import IntrinsicReward
from rl_info.rewards.inputs import StateEmbedding
from rl_info.skills import SkillSpec


def find_embedding(rewards: Mapping[str, IntrinsicReward]) -> StateEmbedding | None:
    """The first reward with a latent space in which displacements are skills, if there is one."""
    return next((each for each in rewards.values() if isinstance(each, StateEmbedding)), None)


@dataclass(frozen=True)
class Goals:
    """States to reach."""

    state: Float[np.ndarray, "G D"]
    """Input of the embedding at the goal."""
    position: Float[np.ndarray, "G A"]
    """Place at the goal, in metres: see `goal_places`."""


def goal_signal(embedding: StateEmbedding) -> str:
    """The side signal whose value makes a goal: where the objects are, if φ reads that."""
    return OBJECTS if embedding.state.source == OBJECTS else POSITION


def goal_places(rollouts: Rollouts, embedding: StateEmbedding) -> Float[np.ndarray, "N T1 A"]:
    """What a goal says of each state, in metres, float64.

    The centers of all objects, three coordinates each, for an embedding that reads
    `object_position`; else the place on the floor. Raises ValueError without that signal.
    """
    if goal_signal(embedding) == OBJECTS:
        return rollouts.signals[OBJECTS].astype(np.float64)
    if rollouts.positions is None:
        raise ValueError("goal reaching needs the signal 'position'")
    return rollouts.positions[..., :AXES].astype(np.float64)


def draw_goals(
    rollouts: Rollouts, embedding: StateEmbedding, count: int, random: np.random.Generator
) -> Goals:
    """Goals that lie nearly uniformly over the visited region.

    Places are drawn uniformly from the bounding box of the visited positions, and each becomes the
    visited state nearest to it, so that the whole state of every goal is a possible one.
    """
    visited = goal_places(rollouts, embedding)
    points = visited.reshape(-1, visited.shape[-1])
    index = draw_visited(points, count, random)
    episode, step = np.unravel_index(index, visited.shape[:2])
    source = embedding.state.source
    states = rollouts.obs if embedding.state.reads_observation else rollouts.signals[source]
    return Goals(states[episode, step], points[index])


def draw_visited(
    points: Float[np.ndarray, "P A"], count: int, random: np.random.Generator
) -> Int[np.ndarray, " G"]:
    """Rows of the visited points nearest to places drawn uniformly from their bounding box."""
    places = random.uniform(points.min(axis=0), points.max(axis=0), (count, points.shape[1]))
    return _nearest(points, places)


def reach_goals(
    policy: SkillPolicy,
    world: VectorWorld,
    skill: SkillSpec,
    embedding: StateEmbedding,
    goals: Goals,
    radii: tuple[float, ...],
    seed: int,
) -> dict[str, Any]:
    """Let world i go to goal i with the skill nearest to φ(g) − φ(s), inferred at every step.

    Returns, for each radius in metres, the share of episodes that come within it at some step (with
    Wilson's interval) among those that begin outside it, so that goals at the start count for
    nothing (None where all do); the mean initial, closest and final distances in metres; and the
    extent of the goals along each axis in metres. Where goals are places of objects, the distance
    is that of the object farthest from its own.
    """
    device = policy.device
    with torch.inference_mode():
        target = embedding.embed(torch.as_tensor(goals.state, dtype=torch.float32, device=device))

    def towards(obs: Tensor, signals: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():
            return skill.nearest(target - embedding.embed(embedding.state.select(obs, signals)))

    unused = torch.zeros(world.num_envs, skill.dim)
    rollouts = collect_rollouts(policy, world, unused, seed=seed, choose_skill=towards)
    gaps = goal_places(rollouts, embedding) - goals.position[:, None]
    of_objects = goal_signal(embedding) == OBJECTS
    # Each object has its own distance; a place on the floor is one.
    parts = gaps.reshape(*gaps.shape[:2], -1, 3 if of_objects else gaps.shape[-1])
    distance = np.linalg.norm(parts, axis=-1).max(axis=-1)
    return {
        "goals": len(goals.position),
        "goal_of": goal_signal(embedding),
        "goal_extent_m": [float(side) for side in np.ptp(goals.position, axis=0)],
        "success_within_m": {f"{radius:g}": _success(distance, radius) for radius in radii},
        "initial_distance_m": asdict(mean_interval(distance[:, 0], seed)),
        "closest_distance_m": asdict(mean_interval(distance.min(axis=1), seed)),
        "final_distance_m": asdict(mean_interval(distance[:, -1], seed)),
    }


def _success(distance: Float[np.ndarray, "G T1"], radius: float) -> dict[str, Any] | None:
    away = distance[:, 0] > radius
    if not away.any():
        return None
    reached = distance.min(axis=1) <= radius
    return asdict(rate_interval(int((reached & away).sum()), int(away.sum())))


def _nearest(
    points: Float[np.ndarray, "P A"], places: Float[np.ndarray, "G A"]
) -> Int[np.ndarray, " G"]:
    distances = [np.square(points - place).sum(axis=1) for place in places]
    return np.array([distance.argmin() for distance in distances])
