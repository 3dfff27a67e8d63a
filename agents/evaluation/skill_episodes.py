"""Many episodes of every skill, for figures that compare skills with each other."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import torch

from agents.evaluation.rollouts import Rollouts, collect_rollouts
from agents.evaluation.settings import Subject
from rl_info.skills import SkillSpec

CONTINUOUS = 16
"""A continuous skill space counts as this many skills."""
MOST_WORLDS = 256
"""Worlds that run at a time, which bounds the memory."""


def few_valued(spec: SkillSpec) -> bool:
    """Whether skills are labels: discrete ones, and continuous ones of one dimension, ±1."""
    return spec.kind == "discrete" or (spec.kind == "continuous" and spec.dim == 1)


def collect_skill_episodes(subject: Subject, per_skill: int, seed: int) -> Rollouts:
    """`per_skill` deterministic episodes of each discrete skill, all from different initial states.

    Continuous skills of two dimensions or more are drawn independently, `CONTINUOUS`·`per_skill` of
    them: evenly spaced ones would be farther apart than the neighbours of a sample should be.
    Episode i starts from `seed + i`. Observations are left out, at width 0, to spare the memory.
    """
    spec = subject.skill
    generator = torch.Generator().manual_seed(seed)
    if few_valued(spec):
        labels = spec.dim if spec.kind == "discrete" else 2
        skills = spec.spread(labels * per_skill, generator)
    else:
        skills = spec.sample(CONTINUOUS * per_skill, generator)
    parts = []
    for start in range(0, len(skills), MOST_WORLDS):
        chosen = skills[start : start + MOST_WORLDS]
        with closing(subject.make_world(len(chosen), seed + start)) as world:
            rollouts = collect_rollouts(subject.policy, world, chosen, seed=seed + start)
        parts.append(rollouts)
    return Rollouts(
        skills=np.concatenate([part.skills for part in parts]),
        obs=np.concatenate([part.obs[..., :0] for part in parts]),
        signals={
            name: np.concatenate([part.signals[name] for part in parts])
            for name in parts[0].signals
        },
        rewards=np.concatenate([part.rewards for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
    )
