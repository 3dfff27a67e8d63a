"""Weights of rewards that a policy is told: gradients, draws, and what a command does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sac_cases import ACTION, OBS, SKILL, SMALL, FeatureReward, TaskReward, batch, context
from torch import Tensor

from agents.evaluation.commanded_policy import under_weights
from agents.learners import MultiCriticPPO, MultiCriticSAC, PPOConfig, RewardTerm, SACConfig
from agents.learners.advantages import weighted_sum
from agents.learners.losses import Objective, actor_loss, soft_target
from agents.training.skill_sampler import SkillSampler
from agents.training.weight_commands import WeightCommands
from rl_info.rewards import RewardConfig, RewardContext
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

CONFIGS = (RewardConfig(weight=0.3), RewardConfig(weight=0.9, normalise=True))
COMMANDS = WeightCommands({"a": 0.3, "b": 0.9}, (0.25, 4.0))


class SkillWidth(TaskReward):
    """Refuses a batch whose skill is not the skill alone."""

    def forward(self, batch: Transitions) -> Tensor:
        assert batch.skill.shape[1] == SKILL.dim
        return self.factor * batch.reward

    def loss(self, batch: Transitions) -> tuple[Tensor, dict[str, Tensor]]:
        assert batch.skill.shape[1] == SKILL.dim
        return super().loss(batch)


def terms(kind: type[IntrinsicReward] = SkillWidth) -> dict[str, RewardTerm]:
    return {
        name: RewardTerm(kind(context(), factor), config)  # type: ignore[call-arg]
        for name, factor, config in zip("ab", (1.0, -1.0), CONFIGS, strict=True)
    }


def sac(commandable: bool, rewards: dict[str, RewardTerm] | None = None, **fields: Any):
    config = SACConfig(**{**SMALL, **fields})
    return MultiCriticSAC(
        OBS, ACTION, SKILL, rewards or terms(), config, commandable_weights=commandable
    )


def ppo(commandable: bool, **fields: Any) -> MultiCriticPPO:
    config = PPOConfig(**{"hidden_dim": 16, "minibatches": 2, "epochs": 2, **fields})
    return MultiCriticPPO(OBS, ACTION, SKILL, terms(), config, commandable_weights=commandable)


def told(data: Transitions, command: Tensor) -> Transitions:
    return replace(data, skill=torch.cat([data.skill, command], dim=-1))


def doubles(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_each_step_weights_its_values_by_its_own_weights():
    """Against autograd in float64 on the sum written out."""
    rewards, size = 3, 7
    values = doubles(2, rewards, size, seed=0).requires_grad_()
    log_prob = doubles(size, seed=1).requires_grad_()
    weight, scale = doubles(rewards, size, seed=2).exp(), doubles(rewards, seed=3).exp()
    temperature = torch.tensor(0.3, dtype=torch.float64)
    loss = torch.zeros((), dtype=torch.float64)
    for b in range(size):
        loss = loss + temperature * log_prob[b] / size
        for k in range(rewards):
            loss = loss - weight[k, b] / scale[k] * values[:, k, b].min() / size
    by_value, by_log_prob = torch.autograd.grad(loss, [values, log_prob])
    with torch.no_grad():
        objective = Objective("xyz", weight, scale)
        wanted, metrics = actor_loss(values, log_prob, temperature, objective)
    found = torch.zeros_like(by_value).scatter_(0, wanted.member[None], wanted.value[None])
    torch.testing.assert_close(found, by_value)
    torch.testing.assert_close(wanted.log_prob.expand(size), by_log_prob)
    torch.testing.assert_close(metrics["loss/actor"], loss.detach())


def test_each_step_holds_one_entropy_in_all_whatever_its_weights():
    weight, scale = doubles(3, 5, seed=0).exp(), doubles(3, seed=1).exp()
    objective = Objective("xyz", weight, scale)
    zero, one = torch.zeros(3, 5).double(), torch.ones((), dtype=torch.float64)
    log_prob = doubles(5, seed=2)
    target = soft_target(zero, zero + 1, zero[None], log_prob, one, objective)
    torch.testing.assert_close((objective.share * target).sum(dim=0), -log_prob)


def test_advantages_are_standardised_over_all_steps_and_weighted_by_each():
    advantage, weight = doubles(2, 9, seed=0), doubles(2, 9, seed=1).exp()
    standard = (advantage - advantage.mean(1, keepdim=True)) / advantage.std(
        1, correction=0, keepdim=True
    )
    expected = torch.stack([weight[:, b] @ standard[:, b] for b in range(9)])
    torch.testing.assert_close(weighted_sum(advantage, weight), expected)


def copy_network(source: Any, target: Any, known: int) -> None:
    """Parameters of a network for one with two further inputs of weight 0 after `known` others."""
    ours, theirs = (net.layout.layers(net.flat.data) for net in (target, source))
    wide, narrow = ours.input_weight, theirs.input_weight
    wide.zero_()
    wide[:, :known], wide[:, known + 2 :] = narrow[:, :known], narrow[:, known:]
    for own, other in (
        *zip(ours.weights, theirs.weights, strict=True),
        *zip(ours.biases, theirs.biases, strict=True),
        (ours.output_weight, theirs.output_weight),
        (ours.output_bias, theirs.output_bias),
    ):
        own.copy_(other)
    target.refresh()


@pytest.mark.parametrize("build", [sac, ppo])
def test_under_configured_weights_an_update_is_that_of_the_ordinary_agent(build):
    ordinary, commanded = build(False), build(True)
    for name in ("actor", "critics", "target_critics"):
        if hasattr(ordinary, name):
            copy_network(getattr(ordinary, name).net, getattr(commanded, name).net, OBS + SKILL.dim)
    commanded.generator.set_state(ordinary.generator.get_state())
    valid = torch.ones(8, 4, dtype=torch.bool) if build is ppo else None
    for seed in range(3):
        data = batch(32, seed=seed)
        expected = ordinary.update(data, valid)
        found = commanded.update(told(data, torch.zeros(32, 2)), valid)
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    data = batch(16, seed=9)
    torch.testing.assert_close(
        under_weights(commanded, COMMANDS).act(data.obs, data.skill, deterministic=True),
        ordinary.act(data.obs, data.skill, deterministic=True),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("fields", [{}, {"n_step": 2}])
def test_successor_features_are_read_by_the_skill_alone(fields):
    rewards = {**terms(), "c": RewardTerm(FeatureReward(context()), RewardConfig())}
    agent = sac(True, rewards, **fields)
    before = agent.actor.net.flat.clone()
    valid = torch.ones(2, 16, dtype=torch.bool) if fields else None
    metrics = agent.update(told(batch(32), COMMANDS_OF_THREE.sample(32, torch.Generator())), valid)
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert not torch.equal(before, agent.actor.net.flat)


COMMANDS_OF_THREE = WeightCommands({"a": 0.3, "b": 0.9, "c": 1.0}, (0.25, 4.0))


def test_saved_states_of_ordinary_and_commanded_learners_do_not_mix():
    with pytest.raises(ValueError, match="commands"):
        sac(True).load_state_dict(sac(False).state_dict())


def test_factors_are_log_uniform_between_their_bounds():
    commands = WeightCommands({"a": 2.0, "unused": 0.0, "b": 1.0}, (0.25, 4.0))
    drawn = commands.sample(20_000, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, commands.sample(20_000, torch.Generator().manual_seed(1)))
    assert not drawn[:, 1].any()
    share = (drawn[:, [0, 2]] / math.log(4) + 1) / 2
    assert float(share.min()) >= 0
    assert float(share.max()) <= 1
    # Kolmogorov and Smirnov: 1.95 / √20,000 is exceeded once in a thousand.
    uniform = torch.arange(1, 20_001)[:, None] / 20_000
    assert float((share.sort(dim=0).values - uniform).abs().max()) < 1.95 / math.sqrt(20_000)
    assert abs(float(torch.corrcoef(share.T)[0, 1])) < 0.03


def test_a_command_is_drawn_with_each_skill_and_comes_back_after_a_resume():
    def build(seed: int = 0) -> SkillSampler:
        return SkillSampler(SkillSpec(), 3, torch.Generator().manual_seed(seed), 4, COMMANDS)

    sampler = build()
    first = sampler.skills
    assert first.shape == (3, 2)
    sampler.advance(np.array([False, True, False]))
    assert [bool(same) for same in (sampler.skills == first).all(dim=1)] == [True, False, True]
    other = build(seed=1)
    other.load_state_dict(sampler.state_dict())
    for _ in range(5):
        for each in (sampler, other):
            each.advance(np.zeros(3, dtype=bool))
        assert torch.equal(sampler.skills, other.skills)
    assert not (sampler.skills == first).all(dim=1).any()


def test_a_command_says_the_weights_or_the_nearest_known_ones():
    weights = COMMANDS.weights_of(COMMANDS.command({"a": 0.6}))
    assert weights == pytest.approx({"a": 0.6, "b": 0.9})
    far = COMMANDS.weights_of(COMMANDS.command({"a": 0.0, "b": 100.0}))
    assert far == pytest.approx({"a": 0.075, "b": 3.6})


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"c": 1.0}, "unknown reward 'c'"),
        ({"a": -1.0}, "not negative"),
        ({"a": math.nan}, "not negative: nan"),
        ({"a": math.inf}, "finite"),
        ({"a": 0.0, "b": 0.0}, "at least one weight"),
    ],
)
def test_commands_that_mean_nothing_are_refused(weights: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        COMMANDS.command(weights)
    fixed = WeightCommands({"a": 1.0, "b": 0.0}, (0.25, 4.0))
    with pytest.raises(ValueError, match="trained with weight 0"):
        fixed.command({"b": 1.0})


def test_agents_whose_weights_trade_nothing_off_are_refused():
    with pytest.raises(ValueError, match="at least two rewards"):
        sac(True, {"a": terms()["a"]})
    with pytest.raises(ValueError, match="one critic on the sum"):
        sac(True, sum_rewards=True)


class Near(IntrinsicReward):
    """−(a − place)²."""

    def __init__(self, context: RewardContext, place: float) -> None:
        super().__init__(context)
        self.place = place

    def forward(self, batch: Transitions) -> Tensor:
        return -(batch.action[:, 0] - self.place).square()


@pytest.mark.parametrize("kind", ["sac", "ppo"])
def test_a_command_moves_what_is_done_between_two_goals(kind: str):
    """One step, rewards −(a − 0.8)² and −(a + 0.8)²: the best action is 0.8 (v − w) / (v + w)."""
    world, none = RewardContext(1, 1, SkillSpec()), SkillSpec()
    commands = WeightCommands({"right": 1.0, "left": 1.0}, (0.25, 4.0))

    def trained(commandable: bool) -> MultiCriticSAC | MultiCriticPPO:
        rewards = {
            name: RewardTerm(Near(world, place), RewardConfig(discount=0.0))
            for name, place in (("right", 0.8), ("left", -0.8))
        }
        if kind == "sac":
            rates = {f"{name}_learning_rate": 3e-3 for name in ("actor", "critic", "temperature")}
            config: Any = SACConfig(hidden_dim=32, target_entropy_scale=2.0, **rates)
            make: Any = MultiCriticSAC
        else:
            config, make = (
                PPOConfig(hidden_dim=32, learning_rate=3e-3, target_kl=None),
                MultiCriticPPO,
            )
        agent = make(1, 1, none, rewards, config, commandable_weights=commandable)
        generator = torch.Generator().manual_seed(0)
        ended = torch.ones(256, dtype=torch.bool)
        for _ in range(250 if kind == "sac" else 40):
            obs, reward = torch.randn(256, 1, generator=generator), torch.zeros(256)
            skill = commands.sample(256, generator) if commandable else torch.zeros(256, 0)
            action = agent.act(obs, skill)
            data = Transitions(obs, action, reward, obs, ended, ~ended, skill, {}, {})
            agent.update(data, None if kind == "sac" else torch.ones(1, 256, dtype=torch.bool))
        return agent

    obs, empty = torch.linspace(-1, 1, 64)[:, None], torch.zeros(64, 0)
    baseline = float(trained(False).act(obs, empty, deterministic=True).mean())
    agent = trained(True)

    def done(**weights: float) -> float:
        policy = under_weights(agent, commands, commands.command(weights))
        return float(policy.act(obs, empty, deterministic=True).mean())

    left, even, right = done(left=3.0), done(), done(right=3.0)
    assert abs(baseline) < 0.15
    assert abs(even - baseline) < 0.3
    assert left < baseline - 0.2
    assert right > baseline + 0.2
    if kind == "sac":
        # Standardised advantages change what PPO's weights count, not their order.
        assert (left, right) == pytest.approx((-0.4, 0.4), abs=0.12)
