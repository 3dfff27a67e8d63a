from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from sac_cases import ACTION, OBS, SKILL, LearnedReward, TaskReward, batch, context, learner
from torch import Tensor

from agents.learners import (
    MultiCriticSAC,
    NonFiniteLossError,
    RewardTerm,
    SACConfig,
    require_finite_losses,
)
from agents.learners.experience import Experience
from agents.learners.losses import Objective
from rl_info.rewards import RewardConfig
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

VARIANTS: list[dict[str, Any]] = [
    {},
    {"layer_norm": True, "hidden_layers": 3, "ensemble_size": 3},
    {"precision": "bfloat16", "layer_norm": True},
    {"critic_sharing": "none", "max_grad_norm": 0.1, "normalise_observations": True},
]


def flats(agent: MultiCriticSAC) -> dict[str, Tensor]:
    """Copies of everything that an update moves."""
    nets = {"actor": agent.actor, "critics": agent.critics, "targets": agent.target_critics}
    values = {name: each.net.flat.clone() for name, each in nets.items()}
    return values | {"temperature": agent.temperature.log.clone()}


def same_updates(first: MultiCriticSAC, second: MultiCriticSAC) -> bool:
    pairs = zip(flats(first).values(), flats(second).values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rewards", [1, 3])
def test_an_update_moves_everything_and_reports_finite_numbers(variant, rewards):
    configs = [RewardConfig(normalise=k == 1) for k in range(rewards)]
    agent = learner(*configs, learned=True, **variant)
    weight = agent.rewards["learned"].weight
    before = flats(agent)
    agent.observe(batch().obs)
    metrics = agent.update(batch())
    for name, value in flats(agent).items():
        assert not torch.equal(value, before[name]), name
    assert bool(weight.detach().any())
    assert agent.updates == 1
    names = ["learned", *(f"task{k}" for k in range(rewards))]
    wanted = {
        f"{kind}/{name}" for kind in ("loss/critic", "value", "reward", "scale") for name in names
    }
    wanted |= {"loss/actor", "loss/temperature", "loss/reward/learned", "reward/learned/size"}
    wanted |= {"policy/entropy", "policy/temperature"}
    wanted |= {"gradient_norm/actor", "gradient_norm/critics"}
    assert set(metrics) == wanted
    for name, value in metrics.items():
        assert value.shape == (), name
        assert not value.requires_grad, name
        assert bool(torch.isfinite(value)), name
    require_finite_losses(metrics)


def test_termination_stops_the_bootstrap_and_truncation_does_not():
    data = batch()
    never = torch.zeros(32, dtype=torch.bool)
    always = ~never
    other = torch.randn(32, OBS, generator=torch.Generator().manual_seed(7))

    def after(**changes: Any) -> MultiCriticSAC:
        agent = learner()
        agent.update(replace(data, **changes))
        return agent

    ended = {"terminated": always, "truncated": never}
    cut = {"terminated": never, "truncated": always}
    goes_on = {"terminated": never, "truncated": never}
    assert same_updates(after(**cut), after(**goes_on))
    assert same_updates(after(**ended), after(**ended, next_obs=other))
    assert not same_updates(after(**cut), after(**cut, next_obs=other))
    assert not same_updates(after(**ended), after(**goes_on))


def windows(steps: int, **changes: Tensor) -> Transitions:
    """`steps` copies of a batch, time-major, with some fields changed."""
    data = batch()
    values = {
        field.name: torch.cat([getattr(data, field.name)] * steps)
        for field in fields(data)
        if not field.name.endswith("signals")
    }
    return Transitions(**{**values, **changes}, signals={}, next_signals={})


def test_several_steps_of_reward_come_before_the_bootstrap(monkeypatch):
    steps, discount = 3, 0.9
    data = batch()
    never = torch.zeros(3 * 32, dtype=torch.bool)
    next_obs = torch.randn(3 * 32, OBS, generator=torch.Generator().manual_seed(3))
    valid = torch.ones(3, 32, dtype=torch.bool)
    valid[1:, :10] = False
    several = learner(RewardConfig(discount=discount), n_step=steps)
    several.update(windows(3, next_obs=next_obs, terminated=never), valid)

    summed = data.reward * (1 + discount + discount**2)
    summed[:10] = data.reward[:10]
    bootstrap = torch.cat([next_obs[:10], next_obs[2 * 32 + 10 :]])
    single = learner(RewardConfig(discount=discount**steps))
    gap = torch.full((1, 32), discount**steps)
    gap[:, :10] = discount
    experience = Experience(data.obs, data.skill, data.action, summed[None], gap, bootstrap)
    monkeypatch.setattr("agents.learners.sac.experience_of", lambda *_: experience)
    single.update(data)
    for name, value in flats(several).items():
        torch.testing.assert_close(value, flats(single)[name], rtol=1e-5, atol=1e-6)


def test_a_window_whose_first_step_ends_is_a_single_step():
    first = torch.arange(3 * 32) < 32
    valid = first.view(3, 32)
    several, single = learner(learned=True, n_step=3), learner(learned=True)
    void = torch.full((3 * 32,), torch.nan)
    void[:32] = batch().reward
    several.update(windows(3, terminated=first, reward=void), valid)
    single.update(batch(terminated=torch.ones(32, dtype=torch.bool)))
    assert same_updates(several, single)


@pytest.mark.parametrize(
    ("steps", "valid"), [(3, None), (3, torch.ones(2, 32) > 0), (1, torch.ones(2, 16) > 0)]
)
def test_windows_that_do_not_fit_are_refused(steps, valid):
    with pytest.raises(ValueError, match=f"n_step={steps}"):
        learner(n_step=steps).update(windows(3) if steps == 3 else batch(), valid)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    def run(seed: int) -> MultiCriticSAC:
        agent = learner(seed=seed, layer_norm=True)
        for k in range(5):
            agent.update(batch(seed=k))
        return agent

    assert same_updates(run(1), run(1))
    assert not same_updates(run(1), run(2))


def test_the_objective_holds_one_entropy_whatever_weights_and_scales():
    objective = Objective(["a", "b"], torch.tensor([0.5, 3.0]), torch.tensor([10.0, 0.2]))
    assert float((objective.share * objective.entropy_share).sum()) == pytest.approx(1.0)


def test_a_normalised_reward_moves_the_actor_alike_at_any_size():
    def trained(factor: float) -> MultiCriticSAC:
        terms = {"task": RewardTerm(TaskReward(context(), factor), RewardConfig(normalise=True))}
        config = SACConfig(hidden_dim=16, initial_temperature=1e-4, learn_temperature=False)
        agent = MultiCriticSAC(OBS, ACTION, SKILL, terms, config)
        for k in range(20):
            metrics = agent.update(batch(seed=k))
        assert float(metrics["scale/task"]) == pytest.approx(factor * 3.2, rel=0.5)
        return agent

    scales = [float(trained(factor)._objective.scale[0, 0]) for factor in (1.0, 100.0)]
    assert scales[1] / scales[0] == pytest.approx(100.0, rel=0.2)


def test_a_fixed_temperature_stays():
    agent = learner(learn_temperature=False, initial_temperature=0.2)
    metrics = agent.update(batch())
    assert "loss/temperature" not in metrics
    assert float(agent.temperature()) == pytest.approx(0.2)


def test_a_short_gradient_norm_makes_short_steps_of_the_moments():
    free, clipped = learner(), learner(max_grad_norm=1e-3)
    norms = [agent.update(batch())["gradient_norm/critics"] for agent in (free, clipped)]
    assert torch.equal(*norms)
    moment = clipped.optimisers["critics"].first_moment.norm() / 0.1
    assert float(moment) == pytest.approx(1e-3, rel=1e-3)


def test_a_reward_that_learns_fits_what_it_is_shown():
    agent = learner(learned=True, hidden_dim=4)
    target = torch.linspace(-1.0, 1.0, OBS)
    optimiser = agent.terms.optimisers["learned"]
    optimiser.param_groups[0]["lr"] = 0.05
    losses = []
    for k in range(150):
        data = batch(seed=k)
        losses.append(
            agent.update(replace(data, reward=data.next_obs @ target))["loss/reward/learned"]
        )
    assert float(losses[-1]) < 0.01 * float(losses[0])
    reward = agent.rewards["learned"]
    assert isinstance(reward, LearnedReward)
    torch.testing.assert_close(reward.weight.detach(), target, rtol=0, atol=0.1)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_loss_that_is_not_finite_is_named(value):
    reward = batch().reward.clone()
    reward[3] = value
    agent = learner(RewardConfig(), RewardConfig())
    agent.rewards["task0"].factor = 0.0 if value == torch.inf else 1.0
    metrics = agent.update(batch(reward=reward))
    with pytest.raises(NonFiniteLossError, match=r"loss/critic/task\d is") as caught:
        require_finite_losses(metrics)
    assert caught.value.name == "loss/critic/task0"


def test_infinities_of_both_signs_do_not_hide_each_other():
    metrics = {"value/x": torch.tensor(torch.nan), "loss/a": torch.tensor(1.0)}
    require_finite_losses(metrics)
    require_finite_losses({})
    pair = {"loss/b": torch.tensor(torch.inf), "loss/c": torch.tensor(-torch.inf)}
    with pytest.raises(NonFiniteLossError, match="loss/b is inf"):
        require_finite_losses(metrics | pair)


def test_actions_are_float32_within_bounds_and_only_noise_makes_them_differ():
    agent = learner()
    data = batch(200)
    state = agent.generator.get_state()
    mode = agent.act(data.obs * 100, data.skill, deterministic=True)
    assert torch.equal(agent.generator.get_state(), state)
    assert torch.equal(mode, agent.act(data.obs * 100, data.skill, deterministic=True))
    first, second = (agent.act(data.obs * 100, data.skill) for _ in range(2))
    assert first.shape == (200, ACTION)
    assert first.dtype == torch.float32
    assert bool((first.abs() <= 1).all())
    assert not torch.equal(first, second)
    assert not torch.equal(
        agent.act(data.obs, data.skill, True), agent.act(data.obs, -data.skill, True)
    )


def test_an_agent_without_skill_acts_and_learns():
    agent = learner(skill=SkillSpec())
    data = batch(skill=torch.zeros(32, 0))
    assert agent.act(data.obs, data.skill).shape == (32, ACTION)
    require_finite_losses(agent.update(data))


def test_observations_are_normalised_only_when_asked():
    for asked in (False, True):
        agent = learner(normalise_observations=asked)
        data = batch(500)
        before = agent.act(data.obs * 50 + 7, data.skill, deterministic=True)
        agent.observe(data.obs * 50 + 7)
        after = agent.act(data.obs * 50 + 7, data.skill, deterministic=True)
        assert torch.equal(before, after) is not asked
    plain = learner()
    torch.testing.assert_close(after, plain.act(data.obs, data.skill, True), rtol=0, atol=0.02)


BAD_FIELDS = [
    ("hidden_dim", 0), ("ensemble_size", 0), ("n_step", 0), ("actor_learning_rate", 0.0),
    ("tau", 0.0), ("tau", 1.5), ("initial_temperature", 0.0), ("max_grad_norm", 0.0),
    ("adam_betas", (0.9, 1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_FIELDS)
def test_a_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        SACConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", -1.0), ("weight", math.nan), ("weight", math.inf), ("discount", 1.0),
        ("discount", math.nan), ("learning_rate", 0.0), ("learning_rate", math.nan),
    ],
)  # fmt: skip
def test_a_reward_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        RewardConfig(**{name: value})


def test_no_reward_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one reward"):
        learner(RewardConfig(weight=0.0))
    with pytest.raises(ValueError, match="at least one reward"):
        MultiCriticSAC(OBS, ACTION, SKILL, {}, SACConfig())


def test_one_critic_on_the_sum_learns_the_weighted_sum_of_all_rewards():
    data = batch(64)
    configs = RewardConfig(weight=2.0), RewardConfig(weight=0.5)
    agent = learner(*configs, sum_rewards=True)
    assert agent.terms.names == ("sum",)
    torch.testing.assert_close(agent.terms.cumulants(data), 2.5 * data.reward[None])
    alone = learner(RewardConfig())
    alone.terms.modules["task0"].factor = 2.5
    for each in (agent, alone):
        for seed in range(3):
            each.update(batch(64, seed=seed))
    torch.testing.assert_close(agent.actor.net.flat, alone.actor.net.flat)
    with pytest.raises(ValueError, match=r"the same discount for all, got 0\.5, 0\.9"):
        learner(RewardConfig(discount=0.5), RewardConfig(discount=0.9), sum_rewards=True)
