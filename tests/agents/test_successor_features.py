"""Critics of successor features: targets, gradients, and chains whose discounted sums are known."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from sac_cases import ACTION, OBS, SKILL, SMALL, FeatureReward, batch, context, learner
from sac_cases import TaskReward as Task
from torch import Tensor

from agents.learners import (
    MultiCriticPPO,
    MultiCriticSAC,
    PPOConfig,
    RewardTerm,
    SACConfig,
    require_finite_losses,
)
from agents.learners.heads import FeatureHeads
from agents.learners.losses import Objective, actor_loss, critic_loss, soft_target
from agents.learners.readout import FeatureReadout
from rl_info.rewards import IntrinsicReward, RewardConfig, build_reward
from rl_info.rewards.aps import APSConfig
from rl_info.rewards.base import RewardContext
from rl_info.rewards.csf import CSFConfig
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

WIDTHS = [3, 0, 2]
"""Numbers of features of three critics; the second has a value."""


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def mixed_readout(steps: int) -> FeatureReadout:
    """Critics of 3 features, a value and 2 features, with random w."""
    index, width = torch.arange(3), torch.tensor(WIDTHS)[:, None]
    used = (index < width.clamp_min(1)).double()
    is_value = ((width == 0) & (index == 0)).double()
    weight = draw(3, 3, steps, seed=1) * used[..., None]
    weight[1, 0] = 1.0
    return FeatureReadout(weight, used, is_value)


def mixed_objective() -> Objective:
    weight = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    return Objective(["a", "b", "c"], weight, torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64))


def test_a_target_by_hand_takes_the_vector_of_the_member_with_the_least_value():
    # One step, γ = ½. The first critic has two features with w = (1, −1), the second a value.
    readout = FeatureReadout(
        weight=torch.tensor([[[1.0], [-1.0]], [[1.0], [0.0]]]),
        used=torch.tensor([[1.0, 1.0], [1.0, 0.0]]),
        is_value=torch.tensor([[0.0, 0.0], [1.0, 0.0]]),
    )
    # ψᵀw is 4 − 1 = 3 and 2 − 5 = −3: the second member, though its second feature is larger.
    # Of the value, 7 and 6, the least is the second member's too; −9 and 8 belong to no reward.
    following = torch.tensor([[[4.0], [1.0], [7.0], [-9.0]], [[2.0], [5.0], [6.0], [8.0]]])
    objective = Objective(["f", "v"], torch.tensor([1.0, 3.0]), torch.ones(2))
    found = soft_target(
        reward=torch.tensor([[0.1], [0.2], [0.3], [0.0]]),
        discount=torch.tensor([[0.5], [0.5], [0.5], [0.5]]),
        next_outputs=following,
        next_log_prob=torch.tensor([-2.0]),
        temperature=torch.tensor(0.4),
        objective=objective,
        readout=readout,
    )
    # No entropy in ψ; the value has its share of it: 0.4 · 2 / (1 + 3).
    expected = [0.1 + 0.5 * 2, 0.2 + 0.5 * 5, 0.3 + 0.5 * (6 + 0.2)]
    torch.testing.assert_close(found[:3, 0], torch.tensor(expected))
    torch.testing.assert_close(readout.values(following[1])[:, 0], torch.tensor([-3.0, 6.0]))


def test_the_gradient_of_the_critics_is_that_of_autograd_and_none_for_unused_outputs():
    readout, objective = mixed_readout(20), mixed_objective()
    outputs, target = draw(2, 9, 20).requires_grad_(), draw(9, 20, seed=2)
    each = []
    for k, width in enumerate(WIDTHS):
        columns = slice(3 * k, 3 * k + max(width, 1))
        error = (outputs[:, columns] - target[columns]) / objective.scale[k]
        each.append(0.5 * error.square().sum(dim=1).mean(dim=-1).sum())
    expected = torch.autograd.grad(torch.stack(each).sum(), outputs)[0]
    found, metrics = critic_loss(outputs.detach(), target, objective, readout)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    assert found.dtype == torch.float64
    assert not found.unflatten(1, (3, 3))[:, readout.used == 0].any()
    for name, loss in zip("abc", each, strict=True):
        torch.testing.assert_close(metrics[f"loss/critic/{name}"], loss.detach())
    value = (outputs[:, :3] * readout.weight[0]).sum(dim=1).mean()
    torch.testing.assert_close(metrics["value/a"], value.detach())


def test_the_gradient_of_the_actor_goes_through_the_least_value_of_each_step():
    readout, objective = mixed_readout(20), mixed_objective()
    outputs, log_prob = draw(2, 9, 20).requires_grad_(), draw(20, seed=3)
    temperature = torch.tensor(0.3, dtype=torch.float64)
    values = (outputs.unflatten(1, (3, 3)) * readout.weight).sum(dim=2)
    least = values.min(dim=0).values
    loss = temperature * log_prob.mean() - (objective.share * least).sum(dim=0).mean()
    expected = torch.autograd.grad(loss, outputs)[0]
    read = readout.values(outputs.detach())
    wanted, metrics = actor_loss(read, log_prob, temperature, objective)
    gradient = torch.zeros_like(read)
    gradient.scatter_(0, wanted.member[None], wanted.value.expand_as(wanted.member)[None])
    torch.testing.assert_close(readout.spread(gradient), expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(metrics["loss/actor"], loss.detach())


CHAIN = torch.tensor(
    [[0.0, 0.75, 0.25, 0.0], [0.25, 0.0, 0.5, 0.25], [0.0, 0.5, 0.25, 0.25], [0.5, 0.0, 0.0, 0.5]]
)
"""Probabilities P of the next of four states, multiples of ¼."""
PAY = torch.tensor([1.0, -1.0, 0.5, 0.0])
"""Task reward of arriving in each state."""


def chain_batch(skill: SkillSpec, seed: int) -> Transitions:
    """16 states with random skills and actions, each with all next states as often as likely."""
    rows = torch.arange(4).repeat(4)
    after = torch.stack([torch.arange(4).repeat_interleave((4 * row).long()) for row in CHAIN])
    states = torch.eye(4)
    generator = torch.Generator().manual_seed(seed)
    next_obs = states[after[rows].flatten()]
    never = torch.zeros(64, dtype=torch.bool)
    return Transitions(
        obs=states[rows.repeat_interleave(4)],
        action=(2 * torch.rand(16, ACTION, generator=generator) - 1).repeat_interleave(4, dim=0),
        reward=next_obs @ PAY,
        next_obs=next_obs,
        terminated=never,
        truncated=never,
        skill=skill.sample(16, generator).repeat_interleave(4, dim=0),
        signals={},
        next_signals={},
    )


def test_successor_features_of_a_chain_are_the_solution_of_its_linear_equations():
    """ψ(s) = Σ_t γᵗ E f(s_{t+1}) = ((I − γP)⁻¹ P f)(s), whatever the policy does."""
    gamma, spec = 0.8, SkillSpec("continuous", 3)
    made = RewardContext(4, ACTION, spec)
    terms = {
        "task": RewardTerm(Task(made), RewardConfig(discount=0.5)),
        "features": RewardTerm(FeatureReward(made), RewardConfig(discount=gamma)),
    }
    config = SACConfig(
        hidden_dim=32, critic_learning_rate=2e-2, tau=0.3,
        initial_temperature=1e-6, learn_temperature=False,
    )  # fmt: skip
    agent = MultiCriticSAC(4, ACTION, spec, terms, config)
    for seed in range(150):
        agent.update(chain_batch(spec, seed))
    probe = chain_batch(spec, 1000)
    state = agent.state(probe.obs, probe.skill)
    with torch.no_grad():
        outputs = agent.critics.run(state, probe.action).outputs.mean(dim=0)
    means = (outputs @ probe.obs / probe.obs.sum(dim=0)).T
    identity = torch.eye(4)
    features = torch.linalg.solve(identity - gamma * CHAIN, CHAIN @ identity[:, :3])
    value = torch.linalg.solve(identity - 0.5 * CHAIN, CHAIN @ PAY)
    torch.testing.assert_close(means[:, 3:], features, rtol=0, atol=0.05)
    torch.testing.assert_close(means[:, 0], value, rtol=0, atol=0.05)
    # The states differ by far more than the tolerance, and skills and actions do not matter.
    assert float(features.std(dim=0).min()) > 0.2
    assert float((outputs[3:].T - probe.obs @ features).abs().max()) < 0.2


def test_several_steps_of_features_are_summed_with_their_discount(monkeypatch):
    agent = learner(n_step=3, features=RewardConfig(discount=0.9))
    seen = []
    original = agent._learn
    monkeypatch.setattr(agent, "_learn", lambda *given: seen.append(given[0]) or original(*given))
    data, never = batch(96), torch.zeros(96, dtype=torch.bool)
    valid = torch.ones(3, 32, dtype=torch.bool)
    valid[2, :5] = False
    skill = data.skill[:32].repeat(3, 1)
    agent.update(replace(data, terminated=never, skill=skill), valid)
    features = data.next_obs[:, : SKILL.dim].unflatten(0, (3, 32))
    powers = 0.9 ** torch.arange(3.0)[:, None, None]
    expected = (features * powers * valid[..., None]).sum(dim=0)
    torch.testing.assert_close(seen[0].reward[3:].T, expected)
    bootstrap = torch.where(valid[2], 0.9**3, 0.9**2).expand(3, -1)
    torch.testing.assert_close(seen[0].discount[3:], bootstrap)


VARIANTS: list[dict[str, Any]] = [
    {"critic_sharing": "none", "precision": "bfloat16"},
    {"layer_norm": True, "ensemble_size": 3},
    {"sum_rewards": True},
]
TERMS = {
    "csf": CSFConfig(hidden_dim=16, normalise=True, weight=0.5),
    "aps": APSConfig(hidden_dim=16, reference_rows=64),
}


def built(*, features: bool = True) -> dict[str, RewardTerm]:
    """CSF of 3 features, APS of 4 and a task reward."""
    terms: dict[str, RewardTerm] = {"task": RewardTerm(Task(context()), RewardConfig())}
    for name, config in TERMS.items():
        settings = replace(config, successor_features=features)
        made = build_reward(name, context(), settings, torch.Generator().manual_seed(0))
        terms[name] = RewardTerm(made, settings)
    return terms


def sac(*, seed: int = 0, features: bool = True, **fields: Any) -> MultiCriticSAC:
    config = SACConfig(**{**SMALL, **fields})
    return MultiCriticSAC(OBS, ACTION, SKILL, built(features=features), config, seed=seed)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_learner_of_features_goes_on_bit_for_bit(variant):
    first, second = sac(**variant), sac(seed=1, **variant)
    for seed in range(3):
        first.update(batch(seed=seed))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    for seed in range(3, 6):
        expected, found = (agent.update(batch(seed=seed)) for agent in (first, second))
        require_finite_losses(found)
        assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_a_learner_of_values_refuses_the_state_of_one_of_features():
    assert sac().terms.outputs == SKILL.dim + 1
    with pytest.raises(ValueError, match=r"'features': 4.*; this one has"):
        sac(features=False).load_state_dict(sac().state_dict())


def test_rewards_and_their_scales_are_the_same_with_and_without_features():
    for seed in range(3):
        data = batch(64, seed=seed)
        for agent in (scalar := sac(features=False), vector := sac()):
            metrics = agent.update(data)
            assert float(metrics["scale/task"]) == 1.0
            assert float(metrics["scale/csf"]) != 1.0
        for name in ("csf", "aps"):
            values = [agent.rewards[name](data) for agent in (scalar, vector)]
            torch.testing.assert_close(*values)


def test_one_critic_on_the_sum_has_one_output():
    agent = sac(sum_rewards=True)
    assert agent.critics.net.layout.outputs == 1
    data = batch(64)
    parts = [0.5 if name == "csf" else 1.0 for name in agent.rewards]
    with torch.no_grad():
        total = sum(w * each(data) for w, each in zip(parts, agent.rewards.values(), strict=True))
    torch.testing.assert_close(agent.terms.cumulants(data)[0], total)


def test_a_single_feature_that_every_skill_reads_alike_is_a_value():
    class One(Task, FeatureReward):
        feature_dim = 1

        def features(self, batch: Transitions) -> Tensor:
            return batch.reward[:, None]

        def readout(self, skill: Tensor) -> Tensor:
            return skill.new_ones(len(skill), 1)

    def trained(module: IntrinsicReward) -> MultiCriticSAC:
        terms = {"task": RewardTerm(module, RewardConfig(normalise=True))}
        # A temperature that no value notices: a feature's target has no entropy.
        config = SACConfig(**SMALL, initial_temperature=1e-30, learn_temperature=False)
        agent = MultiCriticSAC(OBS, ACTION, SKILL, terms, config)
        for seed in range(5):
            agent.update(batch(seed=seed))
        return agent

    value, feature = trained(Task(context())), trained(One(context()))
    assert isinstance(feature.terms._heads, FeatureHeads)
    torch.testing.assert_close(feature.actor.net.flat, value.actor.net.flat)
    torch.testing.assert_close(feature.critics.net.flat, value.critics.net.flat)


@pytest.mark.parametrize("width", [0, SKILL.dim - 1, SKILL.dim + 1])
def test_features_of_another_number_than_declared_are_refused(width):
    class Wrong(FeatureReward):
        feature_dim = width

        def features(self, batch: Transitions) -> Tensor:
            return batch.next_obs[:, : SKILL.dim]

    terms = {"wrong": RewardTerm(Wrong(context()), RewardConfig())}
    with pytest.raises(ValueError, match=f"feature_dim .*{width}"):
        MultiCriticSAC(OBS, ACTION, SKILL, terms, SACConfig(**SMALL)).update(batch())


def ppo(**fields: Any) -> MultiCriticPPO:
    config = PPOConfig(hidden_dim=16, epochs=2, minibatches=2)
    return MultiCriticPPO(OBS, ACTION, SKILL, built(**fields), config)


def test_advantages_on_policy_are_read_from_those_of_features():
    vector, scalar = ppo(), ppo(features=False)
    skill = SKILL.sample(4, torch.Generator().manual_seed(0)).repeat(8, 1)
    data = batch(32, skill=skill)
    rollouts = []
    for agent in (vector, scalar):
        # Without values of their own, both see the discounted rewards alone.
        agent.critics.net.flat.zero_()
        rollouts.append(agent._rollout(data, agent.terms.cumulants(data), 8))
    torch.testing.assert_close(rollouts[0].advantage, rollouts[1].advantage, rtol=1e-4, atol=1e-5)
    first = rollouts[0]
    torch.testing.assert_close(first.readout.values(first.target), rollouts[1].target)


def test_a_policy_learns_on_policy_from_features():
    agent = ppo()
    before = agent.critics.net.flat.clone()
    for seed in range(3):
        metrics = agent.update(batch(32, seed=seed), torch.ones(8, 4, dtype=torch.bool))
        require_finite_losses(metrics)
    assert {"loss/critic/csf", "value/aps", "reward/csf"} <= set(metrics)
    # The last layer's rows of unused outputs never move: the task uses 1 of 4 outputs.
    layers = [agent.critics.net.layout.layers(flat) for flat in (before, agent.critics.net.flat)]
    moved = (layers[0].output_weight != layers[1].output_weight).any(dim=-1)[0].view(3, 4)
    assert moved.tolist() == [[True, False, False, False], [True, True, True, False], [True] * 4]
