"""What every registered reward must do, whatever it values."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from reward_batches import context, generator, random_batch

from rl_info.rewards import REWARDS, build_reward
from rl_info.skills import SkillKind, SkillSpec
from rl_info.transitions import Transitions

SKILLS = {
    "none": SkillSpec(),
    "discrete": SkillSpec("discrete", 4),
    "continuous": SkillSpec("continuous", 3),
}
LEARNING = [name for name in REWARDS if name != "task"]
SMALL = {"hidden_dim": 16}


def build(name: str, kind: SkillKind, seed: int = 0, **settings: object):
    fields = {field.name for field in dataclasses.fields(REWARDS[name].config)}
    chosen = {key: value for key, value in {**SMALL, **settings}.items() if key in fields}
    config = REWARDS[name].config(**chosen)
    return build_reward(name, context(SKILLS[kind], position=2), config, generator(seed))


def first_rows(batch: Transitions, rows: int) -> Transitions:
    def cut(value):
        if isinstance(value, dict):
            return {key: cut(part) for key, part in value.items()}
        return value[:rows]

    names = [field.name for field in dataclasses.fields(batch)]
    return Transitions(**{name: cut(getattr(batch, name)) for name in names})


CASES = [(name, kind) for name in REWARDS for kind in SKILLS if name == "task" or kind != "none"]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_values_are_one_finite_float_for_each_step(name, kind):
    reward = build(name, kind)
    values = reward(random_batch(SKILLS[kind]))
    assert values.shape == (32,)
    assert values.dtype == torch.float32
    assert values.isfinite().all()


@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[0] in LEARNING])
def test_loss_moves_every_parameter(name, kind):
    reward = build(name, kind)
    before = {key: value.clone() for key, value in reward.named_parameters()}
    optimiser = torch.optim.SGD(reward.parameters(), lr=0.1)
    # Two steps: the first moves the output bias of a φ whose displacement does not depend on it.
    for seed in range(2):
        loss, metrics = reward.loss(random_batch(SKILLS[kind], seed=seed))
        assert loss.shape == ()
        assert loss.isfinite()
        assert all(value.shape == () and not value.requires_grad for value in metrics.values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    still = {key for key, value in reward.named_parameters() if torch.equal(value, before[key])}
    # A difference φ(s') − φ(s) cannot see φ's last bias.
    assert still <= ({"phi.4.bias"} if name in ("lsd", "metra") else set())


def test_task_learns_nothing():
    reward = build("task", "none")
    loss, metrics = reward.loss(random_batch(SKILLS["none"]))
    assert loss == 0
    assert not loss.requires_grad
    assert metrics == {}
    assert not list(reward.parameters())


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_state_round_trip_restores_values_and_learning(name, kind):
    trained, fresh = build(name, kind, seed=0), build(name, kind, seed=1)
    trained.loss(random_batch(SKILLS[kind], seed=3))
    fresh.load_state_dict(trained.state_dict())
    batch = random_batch(SKILLS[kind], seed=4)
    assert torch.equal(fresh.loss(batch)[0], trained.loss(batch)[0])
    assert torch.equal(fresh(batch), trained(batch))


@pytest.mark.parametrize("name", LEARNING)
def test_same_generator_gives_same_parameters_and_global_seed_does_not_matter(name):
    first = build(name, "discrete", seed=7).state_dict()
    torch.manual_seed(123)
    second = build(name, "discrete", seed=7).state_dict()
    other = build(name, "discrete", seed=8).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", LEARNING)
def test_a_skill_reward_refuses_an_agent_without_skills(name):
    with pytest.raises(ValueError, match="works with continuous or discrete skills"):
        build(name, "none")


@pytest.mark.parametrize("name", LEARNING)
def test_a_signal_input_is_required_and_read(name):
    reward = build(name, "discrete", input="position")
    assert reward.requires == ("position",)
    assert reward.state.width == 2
    batch = random_batch(SKILLS["discrete"])
    other = dataclasses.replace(batch, obs=batch.obs + 1, next_obs=batch.next_obs - 1)
    assert torch.equal(reward(batch), reward(other))
    with pytest.raises(ValueError, match=r"needs the signal 'height'.*position"):
        build(name, "discrete", input="height")


@pytest.mark.parametrize("name", LEARNING)
def test_values_do_not_depend_on_the_rest_of_the_batch(name):
    reward = build(name, "continuous")
    reward.loss(random_batch(SKILLS["continuous"], seed=1))
    batch = random_batch(SKILLS["continuous"])
    half = first_rows(batch, 10)
    torch.testing.assert_close(reward(batch)[:10], reward(half))


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="unknown reward 'metr'; did you mean 'metra'"):
        build_reward("metr", context(SKILLS["discrete"]), REWARDS["metra"].config(), generator())


def test_settings_of_another_reward_are_refused():
    with pytest.raises(TypeError, match="'metra' is configured by METRAConfig, not by LSDConfig"):
        build_reward("metra", context(SKILLS["discrete"]), REWARDS["lsd"].config(), generator())


@pytest.mark.parametrize("settings", [{"hidden_dim": 0}, {"hidden_layers": 0}])
@pytest.mark.parametrize("name", ["diayn", "metra"])
def test_a_network_without_units_is_refused(name, settings):
    with pytest.raises(ValueError, match="sizes of at least 1"):
        build(name, "discrete", **settings)
