"""Small problems with known answers, learned within seconds."""

from __future__ import annotations

import pytest
import torch
from sac_cases import TaskReward
from torch import Tensor

from agents.learners import MultiCriticSAC, RewardTerm, SACConfig
from rl_info.rewards import RewardConfig, RewardContext
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

NO_SKILL = SkillSpec()


def build(obs: int, action: int, discount: float, **fields: object) -> MultiCriticSAC:
    context = RewardContext(obs, action, NO_SKILL)
    term = RewardTerm(TaskReward(context), RewardConfig(discount=discount))
    rates = dict.fromkeys(
        ("actor_learning_rate", "critic_learning_rate", "temperature_learning_rate"), 3e-3
    )
    config = SACConfig(**{"hidden_dim": 64, **rates, **fields})
    return MultiCriticSAC(obs, action, NO_SKILL, {"task": term}, config)


def empty(count: int) -> Tensor:
    return torch.zeros(count, 0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_bandit_is_solved(precision):
    """One step, reward −‖a − tanh(o)‖²: the best action is tanh(o)."""
    agent = build(2, 2, 0.9, precision=precision)
    generator = torch.Generator().manual_seed(0)

    def reward(obs: Tensor, action: Tensor) -> Tensor:
        return -(action - obs.tanh()).square().sum(dim=-1)

    for _ in range(500):
        obs = torch.randn(256, 2, generator=generator)
        action = agent.act(obs, empty(256))
        ended = torch.ones(256, dtype=torch.bool)
        data = Transitions(obs, action, reward(obs, action), obs, ended, ~ended, empty(256), {}, {})
        agent.update(data)
    obs = torch.randn(1000, 2, generator=generator)
    learned = reward(obs, agent.act(obs, empty(1000), deterministic=True)).mean()
    random = reward(obs, 2 * torch.rand(1000, 2, generator=generator) - 1).mean()
    assert float(random) < -1.0
    assert float(learned) > -0.05


def test_a_point_learns_to_reach_the_origin_across_truncations():
    """x' = x + a/4, reward −|x'|, episodes cut at random: only the bootstrap shows what follows."""
    agent = build(1, 1, 0.95, n_step=1)
    generator = torch.Generator().manual_seed(0)

    def uniform(count: int) -> Tensor:
        return 4 * torch.rand(count, 1, generator=generator) - 2

    steps = []
    x = uniform(64)
    for _ in range(40):
        action = 2 * torch.rand(64, 1, generator=generator) - 1
        following = (x + action / 4).clamp(-2, 2)
        cut = torch.rand(64, generator=generator) < 0.2
        steps.append((x, action, following, cut))
        x = torch.where(cut[:, None], uniform(64), following)
    obs, action, following, cut = (torch.cat(part) for part in zip(*steps, strict=True))
    for _ in range(600):
        rows = torch.randint(len(obs), (128,), generator=generator)
        data = Transitions(
            obs[rows], action[rows], -following[rows, 0].abs(), following[rows],
            torch.zeros(128, dtype=torch.bool), cut[rows], empty(128), {}, {},
        )  # fmt: skip
        agent.update(data)
    x = torch.linspace(-2, 2, 41)[:, None]
    for _ in range(12):
        x = (x + agent.act(x, empty(41), deterministic=True) / 4).clamp(-2, 2)
    assert float(x.abs().max()) < 0.2
