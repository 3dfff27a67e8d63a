"""The skills that a fine-tuned agent chooses from."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from agents.evaluation.skill_episodes import few_valued
from agents.finetune.choice import SkillChoice
from agents.finetune.config import FinetuneConfig
from agents.training.config import TrainConfig
from agents.training.seeding import torch_generator
from envs.vector_world import VectorWorld
from rl_info.skills import SkillSpec

CONTINUOUS = 16
"""Candidates in a continuous skill space, unless the settings say another number."""


def build_choice(config: TrainConfig, world: VectorWorld) -> SkillChoice:
    """The choice that the settings ask for, with nothing tried yet.

    Raises ValueError for a skill that the agent has not, for more candidates than there are,
    for a trial that has no end, and where trials and the rest of the actor take the whole run.
    """
    skills = candidate_skills(config.finetune, config.skill, config.seed)
    choice = SkillChoice(skills, world.num_envs, _trial_steps(config, world, len(skills)))
    if choice.most_env_steps >= config.total_steps:
        raise ValueError(
            f"trying {len(skills)} skills for {choice.trial_steps} env steps in {world.num_envs} "
            f"worlds takes {choice.most_env_steps:,} env steps, all of the {config.total_steps:,} "
            "of the run: use fewer --finetune.candidates or --finetune.trial-steps, or more "
            "--total-steps"
        )
    rest, begins = config.finetune.actor_rest_steps, max(choice.most_env_steps, config.warmup_steps)
    if begins + rest >= config.total_steps:
        raise ValueError(
            f"the actor rests until {begins + rest:,} env steps, which are all of the "
            f"{config.total_steps:,} of the run: use fewer --finetune.actor-rest-steps, or more "
            "--total-steps"
        )
    return choice


def candidate_skills(config: FinetuneConfig, spec: SkillSpec, seed: int) -> Float[Tensor, "C Z"]:
    """The skills to try; a single one where there is nothing to try."""
    if spec.kind == "none":
        if config.skill or config.candidates is not None or config.choose != "best":
            raise ValueError(
                f"the agent of {config.run} has no skills to choose from: leave out "
                "--finetune.skill, --finetune.candidates and --finetune.choose"
            )
        return torch.zeros(1, 0)
    if config.skill:
        return _given(config.skill, spec)
    generator = torch_generator(seed, "candidate skills")
    if config.choose == "random":
        return spec.sample(1, generator)
    labels = spec.dim if spec.kind == "discrete" else 2
    most = labels if few_valued(spec) else None
    count = config.candidates or most or CONTINUOUS
    if most is not None and count > most:
        raise ValueError(f"finetune.candidates is {count}, but the agent has only {most} skills")
    return spec.spread(count, generator)


def _given(skill: tuple[float, ...], spec: SkillSpec) -> Float[Tensor, "1 Z"]:
    if spec.kind == "discrete":
        if len(skill) != 1 or skill[0] not in range(spec.dim):
            raise ValueError(
                f"finetune.skill must be one number from 0 to {spec.dim - 1}, "
                f"got {' '.join(f'{value:g}' for value in skill)}"
            )
        return torch.nn.functional.one_hot(torch.tensor([int(skill[0])]), spec.dim).float()
    direction = torch.tensor([skill])
    length = float(direction.norm())
    if len(skill) != spec.dim or not 0 < length < float("inf"):
        raise ValueError(
            f"finetune.skill must be {spec.dim} finite coordinates that are not all 0, "
            f"got {' '.join(f'{value:g}' for value in skill)}"
        )
    return direction / length


def _trial_steps(config: TrainConfig, world: VectorWorld, candidates: int) -> int:
    limits = [config.finetune.trial_steps, world.max_episode_steps]
    known = [limit for limit in limits if limit is not None]
    if known:
        return min(known)
    if candidates == 1:
        return 1
    raise ValueError(
        f"the episodes of {world.spec_id} may never end: say for how many env steps to try each "
        "skill with --finetune.trial-steps"
    )
