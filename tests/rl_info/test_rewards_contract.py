"""What every registered reward must do, whatever it values."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from reward_batches import context, generator, random_batch
from safetensors.torch import load, save

from rl_info.rewards import REWARDS, build_reward
from rl_info.rewards.inputs import StateNetworkConfig
from rl_info.rewards.linear import LinearReward
from rl_info.skills import SkillKind, SkillSpec
from rl_info.transitions import Transitions

SKILLS = {
    "none": SkillSpec(),
    "discrete": SkillSpec("discrete", 4),
    "continuous": SkillSpec("continuous", 3),
}
SIGNALS = {"position": 2, "gripper_object_distance": 1, "violation": 1}
LEARNING = [name for name, entry in REWARDS.items() if issubclass(entry.config, StateNetworkConfig)]
SMALL = {"hidden_dim": 16}
CASES = [
    (name, kind) for name, entry in REWARDS.items() for kind in SKILLS
    if kind in entry.module.skill_kinds
]  # fmt: skip
LEARNING_CASES = [case for case in CASES if case[0] in LEARNING]
LINEAR_CASES = [case for case in CASES if issubclass(REWARDS[case[0]].module, LinearReward)]
REFUSED = [(name, kind) for name in REWARDS for kind in SKILLS if (name, kind) not in CASES]
DIFFERENCES = {
    "lsd": "phi.4.bias", "metra": "phi.4.bias", "csd": "phi.4.bias", "csf": "phi.4.bias",
    "tldr": "phi.4.bias",
}  # fmt: skip
"""A difference φ(s') − φ(s) cannot see φ's last bias."""


def suitable(name: str) -> SkillKind:
    """A kind of skill that the reward can work with."""
    return next(kind for case, kind in CASES if case == name)


def build(name: str, kind: SkillKind, seed: int = 0, **settings: object):
    fields = {field.name for field in dataclasses.fields(REWARDS[name].config)}
    chosen = {key: value for key, value in {**SMALL, **settings}.items() if key in fields}
    config = REWARDS[name].config(**chosen)
    return build_reward(name, context(SKILLS[kind], **SIGNALS), config, generator(seed))


def first_rows(batch: Transitions, rows: int) -> Transitions:
    def cut(value):
        if isinstance(value, dict):
            return {key: cut(part) for key, part in value.items()}
        return value[:rows]

    names = [field.name for field in dataclasses.fields(batch)]
    return Transitions(**{name: cut(getattr(batch, name)) for name in names})


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_values_are_one_finite_float_for_each_step(name, kind):
    reward = build(name, kind)
    values = reward(random_batch(SKILLS[kind]))
    assert values.shape == (32,)
    assert values.dtype == torch.float32
    assert values.isfinite().all()


@pytest.mark.parametrize(("name", "kind"), LINEAR_CASES)
def test_a_linear_reward_is_its_features_times_the_readout_of_its_skill(name, kind):
    reward = build(name, kind)
    for seed in range(2):
        reward.loss(random_batch(SKILLS[kind], seed=seed))
    batch = random_batch(SKILLS[kind], seed=2)
    features, readout = reward.features(batch), reward.readout(batch.skill)
    assert features.shape == readout.shape == (32, reward.feature_dim)
    assert features.dtype == readout.dtype == torch.float32
    torch.testing.assert_close((features * readout).sum(dim=-1), reward(batch))
    # Features do not know the skill: all that a skill changes is how they are read.
    other = dataclasses.replace(batch, skill=batch.skill.flip(0))
    assert torch.equal(reward.features(other), features)
    assert reward.successor_features
    assert not build(name, kind, successor_features=False).successor_features


@pytest.mark.parametrize(("name", "kind"), LEARNING_CASES)
def test_loss_moves_every_parameter(name, kind):
    reward = build(name, kind)
    before = {key: value.clone() for key, value in reward.named_parameters() if value.requires_grad}
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
    after = dict(reward.named_parameters())
    still = {key for key, value in before.items() if torch.equal(value, after[key])}
    assert before
    assert still <= {DIFFERENCES.get(name)}


@pytest.mark.parametrize("name", [name for name in REWARDS if name not in LEARNING])
def test_a_reward_without_networks_learns_nothing(name):
    reward = build(name, "none")
    loss, metrics = reward.loss(random_batch(SKILLS["none"]))
    assert loss == 0
    assert not loss.requires_grad
    assert metrics == {}
    assert not list(reward.parameters())


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_state_round_trip_restores_values_and_learning(name, kind):
    trained, fresh = build(name, kind, seed=0), build(name, kind, seed=1)
    for seed in (2, 3):
        trained.loss(random_batch(SKILLS[kind], seed=seed))
    fresh.load_state_dict(trained.state_dict())
    batch = random_batch(SKILLS[kind], seed=4)
    assert torch.equal(fresh.loss(batch)[0], trained.loss(batch)[0])
    assert torch.equal(fresh(batch), trained(batch))


@pytest.mark.parametrize("name", LEARNING)
def test_a_checkpoint_holds_all_that_learning_depends_on(name):
    kind = suitable(name)
    reward = build(name, kind)
    reward.loss(random_batch(SKILLS[kind], seed=2))
    saved = decode_encode(reward.state_dict())
    batch = random_batch(SKILLS[kind], seed=3)
    losses = [reward.loss(batch)[0].item() for _ in range(3)]
    values = reward(batch)
    reward.load_state_dict(saved)
    assert [reward.loss(batch)[0].item() for _ in range(3)] == losses
    assert torch.equal(reward(batch), values)


def decode_encode(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Through bytes and back: everything in it must be a tensor that owns its values."""
    return load(save({key: value.clone() for key, value in state.items()}))


@pytest.mark.parametrize("name", LEARNING)
def test_same_generator_gives_same_parameters_and_global_seed_does_not_matter(name):
    kind = suitable(name)
    first = build(name, kind, seed=7).state_dict()
    torch.manual_seed(123)
    second = build(name, kind, seed=7).state_dict()
    other = build(name, kind, seed=8).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", LEARNING)
def test_losses_draw_no_global_random_numbers(name):
    kind = suitable(name)
    first, second = build(name, kind), build(name, kind)
    before = torch.get_rng_state()
    torch.manual_seed(1)
    one = [first.loss(random_batch(SKILLS[kind], seed=seed))[0].item() for seed in range(3)]
    torch.manual_seed(2)
    two = [second.loss(random_batch(SKILLS[kind], seed=seed))[0].item() for seed in range(3)]
    torch.set_rng_state(before)
    assert one == two


@pytest.mark.parametrize(("name", "kind"), REFUSED)
def test_an_unsuitable_kind_of_skill_is_refused_with_the_suitable_ones(name, kind):
    suitable_kinds = " or ".join(sorted(REWARDS[name].module.skill_kinds))
    with pytest.raises(
        ValueError, match=f"works with skills of kind {suitable_kinds}, not with .*{kind}"
    ):
        build(name, kind)


def test_rewards_differ_in_the_kinds_of_skill_they_work_with():
    kinds = {name: REWARDS[name].module.skill_kinds for name in ("metra", "aps", "smm", "apt")}
    assert kinds == {
        "metra": {"discrete", "continuous"},
        "aps": {"continuous"},
        "smm": {"none", "discrete"},
        "apt": {"none", "discrete", "continuous"},
    }


@pytest.mark.parametrize("name", LEARNING)
def test_a_signal_input_is_required_and_read(name):
    kind = suitable(name)
    reward = build(name, kind, input="position")
    assert reward.requires == ("position",)
    assert reward.state.width == 2
    batch = random_batch(SKILLS[kind])
    reward.loss(batch)
    other = dataclasses.replace(batch, obs=batch.obs + 1, next_obs=batch.next_obs - 1)
    assert torch.equal(reward(batch), reward(other))
    with pytest.raises(ValueError, match=r"needs the signal 'height'.*position"):
        build(name, kind, input="height")


@pytest.mark.parametrize(
    ("name", "signal"), [("reach", "gripper_object_distance"), ("safety", "violation")]
)
def test_a_signal_that_the_environment_lacks_is_named(name, signal):
    lacking = context(SKILLS["none"], position=2)
    with pytest.raises(ValueError, match=f"needs the signal '{signal}'.*has: position"):
        build_reward(name, lacking, REWARDS[name].config(), generator())


@pytest.mark.parametrize("name", REWARDS)
def test_values_do_not_depend_on_the_rest_of_the_batch(name):
    kind = suitable(name)
    reward = build(name, kind)
    for seed in (1, 2):
        reward.loss(random_batch(SKILLS[kind], seed=seed))
    batch = random_batch(SKILLS[kind])
    half = first_rows(batch, 10)
    torch.testing.assert_close(reward(batch)[:10], reward(half))


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="unknown reward 'metr'; did you mean 'metra'"):
        build_reward("metr", context(SKILLS["discrete"]), REWARDS["metra"].config(), generator())


def test_settings_of_another_reward_are_refused():
    with pytest.raises(TypeError, match="'metra' is configured by METRAConfig, not by LSDConfig"):
        build_reward("metra", context(SKILLS["discrete"]), REWARDS["lsd"].config(), generator())


@pytest.mark.parametrize("settings", [{"hidden_dim": 0}, {"hidden_layers": 0}])
@pytest.mark.parametrize("name", [name for name in LEARNING if name != "lsd"])
def test_a_network_without_units_is_refused(name, settings):
    with pytest.raises(ValueError, match="sizes of at least 1"):
        build(name, suitable(name), **settings)
