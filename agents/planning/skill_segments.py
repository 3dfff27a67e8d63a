"""What a frozen policy does under skills that change at random: the data of skill dynamics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agents.evaluation.rollouts import collect_rollouts, episode_steps
from agents.evaluation.settings import WorldFactory
from agents.planning.aim import Aim
from agents.planning.frozen_policy import FrozenPolicy
from agents.training.seeding import derive_seed, torch_generator
from rl_info.skills import SkillSpec


@dataclass(frozen=True)
class SkillSegments:
    """N episodes as J segments, in each of which one skill is held for some steps."""

    obs: Float[np.ndarray, "N J1 O"]
    """What the policy reads at the J1 = J + 1 ends of the segments."""
    places: Float[np.ndarray, "N J1 P"]
    """Where the thing to be moved is at the same moments, m."""
    skills: Float[np.ndarray, "N J Z"]
    held: Bool[np.ndarray, "N J"]
    """Whether the skill was held to its end within the episode; only such segments count."""

    def split(self, share: float, seed: int) -> tuple[SkillSegments, SkillSegments]:
        """Two sets of whole episodes, the second with about `share` of them, at least one.

        Raises ValueError for fewer than 2 episodes.
        """
        count = len(self.obs)
        if count < 2:
            raise ValueError(
                "held-out errors need at least 2 episodes of data, got 1: collect more steps"
            )
        order = np.random.default_rng(seed).permutation(count)
        second = min(max(round(share * count), 1), count - 1)
        return self.rows(np.sort(order[second:])), self.rows(np.sort(order[:second]))

    def rows(self, index: Int[np.ndarray, " M"]) -> SkillSegments:
        """Some of the episodes."""
        return SkillSegments(
            self.obs[index], self.places[index], self.skills[index], self.held[index]
        )

    def windows(self, length: int) -> tuple[Int[np.ndarray, " W"], Int[np.ndarray, " W"]]:
        """Episode and first segment of every run of `length` segments that were held."""
        runs = [
            self.held[:, start : start + length].all(axis=1)
            for start in range(self.held.shape[1] - length + 1)
        ]
        if not runs:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        episode, first = np.nonzero(np.stack(runs, axis=1))
        return episode, first


def collect_segments(
    policy: FrozenPolicy,
    make_world: WorldFactory,
    spec: SkillSpec,
    aim: Aim,
    *,
    num_envs: int,
    env_steps: int,
    skill_steps: int,
    seed: int,
    on_steps: Callable[[int], object] | None = None,
) -> SkillSegments:
    """At least `env_steps` steps, in whole episodes of `num_envs` worlds at a time.

    The mode of the policy acts; skills are drawn anew, independently, every `skill_steps` steps.
    `on_steps` is told of steps as they are done. Raises ValueError if no skill fits an episode.
    """
    generator = torch_generator(seed, "planning/skills")
    parts: list[SkillSegments] = []
    done = 0
    with closing(make_world(num_envs, seed)) as world:
        steps = episode_steps(world)
        if skill_steps > steps:
            raise ValueError(
                f"skills of {skill_steps} steps do not fit episodes of {steps}: lower skill-steps"
            )
        while done < env_steps:
            skills = RandomSkills(spec, num_envs, skill_steps, generator, on_steps)
            rollouts = collect_rollouts(
                policy,
                world,
                torch.zeros(num_envs, spec.dim),
                seed=derive_seed(seed, f"planning/data/{done}"),
                choose_skill=skills,
            )
            ends = np.arange(0, steps + 1, skill_steps)
            count = len(ends) - 1
            columns = policy.columns.cpu().numpy()
            parts.append(
                SkillSegments(
                    rollouts.obs[:, ends][..., columns].astype(np.float32),
                    aim.places(rollouts.signals)[:, ends],
                    skills.history(count),
                    ends[1:] <= rollouts.lengths[:, None],
                )
            )
            done += num_envs * steps
    return SkillSegments(
        np.concatenate([part.obs for part in parts]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.skills for part in parts]),
        np.concatenate([part.held for part in parts]),
    )


class RandomSkills:
    """Chooses skills independently at random, every so many steps, and remembers them."""

    def __init__(
        self,
        spec: SkillSpec,
        num_envs: int,
        skill_steps: int,
        generator: torch.Generator,
        on_steps: Callable[[int], object] | None = None,
    ) -> None:
        self.spec, self.num_envs, self.skill_steps = spec, num_envs, skill_steps
        self.generator = generator
        self.drawn: list[Float[Tensor, "N Z"]] = []
        self._step = 0
        self._on_steps = on_steps

    def __call__(
        self, obs: Float[Tensor, "N O"], signals: dict[str, Float[Tensor, "N D"]]
    ) -> Float[Tensor, "N Z"]:
        """The skills of this step."""
        if self._step % self.skill_steps == 0:
            self.drawn.append(self.spec.sample(self.num_envs, self.generator))
        self._step += 1
        if self._on_steps is not None:
            self._on_steps(self.num_envs)
        return self.drawn[-1].to(obs.device)

    def history(self, count: int) -> Float[np.ndarray, "N J Z"]:
        """The first `count` skills of each world; episodes that ended early repeat the last."""
        drawn = [*self.drawn, *[self.drawn[-1]] * max(count - len(self.drawn), 0)]
        return torch.stack(drawn[:count], dim=1).numpy()
