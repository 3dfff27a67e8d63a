"""The simulator as a model: exact futures in copies of the worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from agents.errors import UsageError
from agents.evaluation.rollouts import SkillPolicy
from agents.planning.aim import Aim, PlanningState
from agents.training.collector import ActionScale
from envs.backends.batch import BatchWorld
from envs.vector_world import VectorWorld

MOST_COPIES = 512
"""Copies that run at a time, which bounds the memory."""


class Simulator:
    """Futures of the worlds of `source`, as the frozen policy makes them.

    World i of `source` is row i of the planning state. Nothing is approximated, so the figures of a
    plan made with it bound what any model of the same worlds can give. A copy whose episode ends
    stays where it ended.
    """

    def __init__(
        self,
        source: BatchWorld,
        copies: BatchWorld,
        policy: SkillPolicy,
        aim: Aim,
        skill_steps: int,
    ) -> None:
        self.source, self.copies, self.policy, self.aim = source, copies, policy, aim
        self.skill_steps = skill_steps
        self._scale = ActionScale(copies.single_action_space)

    def predict(
        self, state: PlanningState, skills: Float[Tensor, "B S H Z"]
    ) -> Float[Tensor, "1 B S H P"]:
        """Places after each of H skills, held for `skill_steps` steps each."""
        problems, samples, length, width = skills.shape
        rows = np.repeat(np.arange(problems), samples)
        sequences = skills.reshape(problems * samples, length, width)
        size = self.copies.num_envs
        parts = []
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            # The last chunk is filled up with copies of the first world, which are left out again.
            worlds = np.concatenate([chosen, np.zeros(size - len(chosen), dtype=rows.dtype)])
            padded = torch.zeros(size, length, width, device=skills.device)
            padded[: len(chosen)] = sequences[start : start + size]
            parts.append(self._futures(worlds, padded, state)[: len(chosen)])
        places = torch.as_tensor(np.concatenate(parts), device=skills.device)
        return places.reshape(1, problems, samples, length, -1)

    def _futures(
        self, worlds: Int[np.ndarray, " C"], skills: Float[Tensor, "C H Z"], state: PlanningState
    ) -> Float[np.ndarray, "C H P"]:
        self.copies.copy_worlds(self.source, worlds)
        obs = state.full_obs[torch.as_tensor(worlds, device=state.full_obs.device)]
        place = state.place.cpu().numpy()[worlds]
        running = np.ones(len(worlds), dtype=bool)
        found = np.empty((*skills.shape[:2], place.shape[-1]), dtype=np.float32)
        for index in range(skills.shape[1]):
            for _ in range(self.skill_steps):
                with torch.inference_mode():
                    action = self.policy.act(obs, skills[:, index], deterministic=True)
                step = self.copies.step(self._scale(action.cpu().numpy()))
                ended, info = step[2] | step[3], step[4]
                now = self.aim.places(info["signals"])
                if ended.any():
                    final = self.aim.places(info["final_signals"])
                    now = np.where(ended[:, None], final, now)
                place = np.where(running[:, None], now, place)
                running &= ~ended
                obs = torch.as_tensor(step[0], dtype=torch.float32, device=self.policy.device)
            found[:, index] = place
        return found


@contextmanager
def simulator_of(
    source: VectorWorld,
    make_world: Callable[[int, int], VectorWorld],
    policy: SkillPolicy,
    aim: Aim,
    skill_steps: int,
    samples: int,
) -> Iterator[Simulator]:
    """A simulator with worlds of its own; raises UsageError for worlds that cannot be copied."""
    if not isinstance(source, BatchWorld):
        raise UsageError(
            f"worlds of {source.spec_id} run through an adapter and cannot be copied: "
            "use --model learned"
        )
    copies = make_world(min(source.num_envs * samples, MOST_COPIES), 0)
    assert isinstance(copies, BatchWorld)
    try:
        yield Simulator(source, copies, policy, aim, skill_steps)
    finally:
        copies.close()
