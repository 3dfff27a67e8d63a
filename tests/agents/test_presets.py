"""Every preset must make a working agent out of the registries."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import envs
from agents.errors import UsageError
from agents.learners import ImaginationConfig, KoopmanLQRConfig, RewardTerm
from agents.presets import PRESETS, find_preset
from agents.training.algorithms import ALGORITHMS, algorithm_name
from agents.training.config import TrainConfig
from rl_info.rewards import REWARDS, build_reward
from rl_info.rewards.base import RewardContext
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

OBS_DIM, ACTION_DIM, ROWS = 18, 6, 48


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_registered_rewards_and_known_settings(name):
    preset = PRESETS[name]
    assert preset.name == name
    assert preset.description
    for reward, config in preset.rewards.items():
        assert type(config) is REWARDS[reward].config
    config = TrainConfig(
        agent=name,
        skill=preset.skill,
        rewards=preset.rewards,
        learner=preset.learner,
        **preset.training,
    )
    assert config.env == preset.training["env"]


# Those with a world model learn from sequences; they have preset tests of their own.
ON_SEQUENCES = (ImaginationConfig, KoopmanLQRConfig)
ON_STATES = [name for name in PRESETS if not isinstance(PRESETS[name].learner, ON_SEQUENCES)]


@pytest.mark.parametrize("name", ON_STATES)
def test_a_preset_learns_from_a_batch_and_acts(name):
    preset = PRESETS[name]
    world = envs.make_vec(preset.training["env"], num_envs=ROWS, seed=0)
    signals = {key: torch.as_tensor(value) for key, value in world.reset()[1]["signals"].items()}
    context = RewardContext(OBS_DIM, ACTION_DIM, preset.skill, world.signal_dims)
    terms = {
        reward: RewardTerm(
            build_reward(reward, context, config, torch.Generator().manual_seed(0)), config
        )
        for reward, config in preset.rewards.items()
    }
    small = dataclasses.replace(preset.learner, hidden_dim=32)
    build = ALGORITHMS[algorithm_name(small)].learner
    learner = build(OBS_DIM, ACTION_DIM, preset.skill, terms, small, seed=0)
    rng = torch.Generator().manual_seed(1)
    obs, next_obs = torch.randn(2, ROWS, OBS_DIM, generator=rng)
    never = torch.zeros(ROWS, dtype=torch.bool)
    batch = Transitions(
        obs=obs,
        action=torch.rand(ROWS, ACTION_DIM, generator=rng) * 2 - 1,
        reward=torch.randn(ROWS, generator=rng),
        next_obs=next_obs,
        terminated=never,
        truncated=never,
        skill=preset.skill.sample(ROWS, rng),
        signals=signals,
        next_signals=signals,
    )
    before = learner.act(obs, batch.skill, deterministic=True)
    # Where the rows are windows or a rollout, the mask says which of their steps count.
    steps = getattr(preset.learner, "n_step", 8)
    valid = torch.ones(steps, ROWS // steps, dtype=torch.bool) if steps > 1 else None
    metrics = learner.update(batch, valid)
    assert all(value.isfinite() for value in metrics.values())
    after = learner.act(obs, batch.skill, deterministic=True)
    assert before.shape == (ROWS, ACTION_DIM)
    assert not torch.equal(before, after)


def test_skill_presets_differ_in_their_reward_alone():
    skilled = ("metra", "lsd", "diayn", "dads", "csd", "csf", "tldr")
    unskilled = ("apt", "rnd", "disagreement", "contrastive_ucb", "empowerment")
    first, *others = [PRESETS[name] for name in (*skilled, *unskilled)]
    for other in others:
        assert other.skill == (first.skill if other.name in skilled else SkillSpec())
        assert other.learner == first.learner
        assert other.training == first.training


def test_an_unknown_agent_gets_the_nearest_name():
    with pytest.raises(UsageError, match="unknown agent 'mettra'; did you mean 'metra'"):
        find_preset("mettra")
    assert find_preset("metra") is PRESETS["metra"]
