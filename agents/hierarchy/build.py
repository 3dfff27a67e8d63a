"""Puts frozen skills between a learner and its worlds, where the settings ask for them."""

from __future__ import annotations

from pathlib import Path

import torch

from agents.evaluation.rollouts import SkillPolicy
from agents.hierarchy.config import HierarchyConfig
from agents.hierarchy.frozen_skills import FrozenSkills
from agents.hierarchy.policy import HierarchicalPolicy
from agents.hierarchy.skills import Skills, SkillsInWorld
from agents.hierarchy.storage import SKILLS, load_skills, skills_of_run
from agents.hierarchy.world import HierarchyWorld
from envs.vector_world import VectorWorld


def find_skills(
    config: HierarchyConfig, run_dir: Path | None, device: torch.device
) -> FrozenSkills | None:
    """The skills that the settings name; None if they name none.

    They come from the copy in `run_dir`, the folder of a run that uses them, or, for a new run,
    from the folder in the settings. Raises UsageError naming what is damaged or unsuitable.
    """
    if config.skills is None:
        return None
    if run_dir is None:
        return skills_of_run(Path(config.skills), device)
    return load_skills(run_dir / SKILLS, device)


def world_of_decisions(
    world: VectorWorld, skills: Skills | None, config: HierarchyConfig, seed: int
) -> VectorWorld:
    """`world` itself, or one in which the actions are skills.

    Raises ValueError, after closing `world`, if the skills cannot act in it.
    """
    if skills is None:
        return world
    try:
        return HierarchyWorld(world, skills, config.steps, sample=config.sample, seed=seed)
    except ValueError:
        world.close()
        raise


def policy_of_steps(
    controller: SkillPolicy, skills: Skills | None, config: HierarchyConfig, world: VectorWorld
) -> SkillPolicy:
    """`controller` itself, or it together with the skills that it chooses, in worlds as `world`.

    Raises ValueError if the skills cannot act there.
    """
    if skills is None:
        return controller
    return HierarchicalPolicy(
        controller, SkillsInWorld(skills, world), config.steps, sample=config.sample
    )
