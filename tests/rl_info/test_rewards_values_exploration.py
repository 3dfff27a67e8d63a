"""Rewards of exploration and of manipulation against values worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from reward_batches import batch_of, context, generator, random_batch

from rl_info.nn.gaussian_mixture import ConditionalGaussianMixture
from rl_info.nn.perceptron_ensemble import PerceptronEnsemble
from rl_info.rewards import build_reward
from rl_info.rewards.apt import APTConfig
from rl_info.rewards.contrastive_ucb import ContrastiveUCBConfig
from rl_info.rewards.disagreement import DisagreementConfig
from rl_info.rewards.empowerment import EmpowermentConfig
from rl_info.rewards.particles import ReferenceRows, mean_neighbour_distance
from rl_info.rewards.reach import ReachConfig
from rl_info.rewards.rnd import RNDConfig
from rl_info.rewards.safety import SafetyConfig
from rl_info.skills import SkillSpec

NONE = SkillSpec()
RAW = {"normaliser_rows": 0, "hidden_dim": 8}


def build(name: str, config, obs_dim: int = 2, **signals: int):
    return build_reward(name, context(NONE, obs_dim=obs_dim, **signals), config, generator())


def arrive(end: torch.Tensor):
    """Steps from the origin to the rows of `end`, without skills."""
    return batch_of(torch.zeros_like(end), end, torch.zeros(len(end), 0))


def test_neighbour_distance_agrees_with_a_sort_and_ignores_unusable_rows():
    rng = generator()
    query, others = torch.randn(20, 3, generator=rng), torch.randn(50, 3, generator=rng)
    usable = torch.rand(50, generator=rng) < 0.5
    expected = [sorted((row - each).norm().item() for each in others[usable])[:4] for row in query]
    values = mean_neighbour_distance(query, others, usable, 4)
    torch.testing.assert_close(values, torch.tensor(expected).mean(dim=-1))
    assert mean_neighbour_distance(query, others, usable & False, 4).eq(0).all()


def test_reference_hides_the_last_batch_and_keeps_the_newest_rows():
    reference = ReferenceRows(8, 1)
    for batch in range(5):
        reference.add(torch.full((2, 1), float(batch)))
    # Five batches of two rows in a ring of eight: the first is overwritten, the last hidden.
    assert sorted(reference.rows[reference.usable].flatten().tolist()) == [1, 1, 2, 2, 3, 3]


def test_reference_takes_rows_from_all_of_a_large_batch():
    reference = ReferenceRows(8, 1)
    reference.add(torch.arange(100.0)[:, None])
    assert reference.rows[:2].flatten().tolist() == [0.0, 50.0]
    assert reference.age.count_nonzero() == 2


def test_apt_value_by_hand_in_the_raw_state():
    reward = build(
        "apt", APTConfig(representation="identity", neighbours=2, reference_rows=16, **RAW)
    )
    known = torch.tensor([[0.0, 0.0], [3.0, 0.0], [100.0, 0.0]])
    assert reward(arrive(known)).tolist() == [0.0, 0.0, 0.0]
    loss, _ = reward.loss(arrive(known))
    assert not loss.requires_grad
    reward.loss(arrive(known + 1e6))
    value = reward(arrive(torch.tensor([[3.0, 4.0]]))).item()
    assert value == pytest.approx(math.log(1 + (5 + 4) / 2), rel=1e-6)


def test_apt_relative_distances_do_not_see_the_scale():
    def values(scale: float) -> torch.Tensor:
        config = APTConfig(representation="identity", relative_distance=True, **RAW)
        reward = build("apt", config)
        for seed in range(4):
            rows = torch.randn(64, 2, generator=generator(seed))
            reward.loss(arrive(scale * rows))
        return reward(arrive(scale * torch.randn(16, 2, generator=generator(9))))

    torch.testing.assert_close(values(1.0), values(1000.0), rtol=1e-4, atol=1e-5)
    # The typical distance counts as 1: the mean value is near ln 2.
    assert 0.5 < values(1.0).mean().item() < 1.0


@pytest.mark.parametrize(("name", "learns"), [("identity", 0), ("random", 0), ("inverse", 1)])
def test_apt_learns_only_what_its_representation_learns(name, learns):
    reward = build("apt", APTConfig(representation=name, **RAW))
    assert any(value.requires_grad for value in reward.parameters()) == learns
    assert reward.loss(random_batch(NONE, obs_dim=2))[0].requires_grad == learns


def test_rnd_value_is_the_mean_squared_error_over_its_running_deviation():
    reward = build("rnd", RNDConfig(feature_dim=2, **RAW))
    reward.target = torch.nn.Linear(2, 2, bias=False).requires_grad_(False)
    reward.predictor = torch.nn.Linear(2, 2, bias=False)
    reward.target.weight.data = torch.eye(2)
    reward.predictor.weight.data = torch.zeros(2, 2)
    batch = arrive(torch.tensor([[1.0, 1.0], [3.0, 1.0], [0.0, 100.0]]))
    # The input is clipped to 5: errors (1 + 1)/2, (9 + 1)/2, 25/2.
    errors = torch.tensor([1.0, 5.0, 12.5])
    torch.testing.assert_close(reward(batch), errors)
    loss, _ = reward.loss(batch)
    assert loss.item() == pytest.approx(errors.mean().item())
    torch.testing.assert_close(reward(batch), errors / errors.std(correction=0))
    loss.backward()
    assert reward.target.weight.grad is None
    assert reward.predictor.weight.grad.abs().max() > 0


def test_disagreement_is_the_unbiased_variance_and_the_loss_the_sum_of_errors():
    reward = build("disagreement", DisagreementConfig(members=3, **RAW), obs_dim=1)
    answers = torch.tensor([1.0, 2.0, 6.0])
    for weight, bias in zip(reward.models.weights, reward.models.biases, strict=True):
        weight.data.zero_()
        bias.data.zero_()
    reward.models.biases[-1].data = answers.view(3, 1, 1)
    batch = arrive(torch.tensor([[2.0], [3.0]]))
    torch.testing.assert_close(reward(batch), torch.full((2,), answers.var().item()))
    loss, metrics = reward.loss(batch)
    # Against 2 and 3: (1 + 4)/2, (0 + 1)/2, (16 + 9)/2.
    assert loss.item() == pytest.approx(2.5 + 0.5 + 12.5)
    assert metrics["prediction_error"].item() == pytest.approx(15.5 / 3)


def test_an_ensemble_equals_its_members_one_by_one():
    models = PerceptronEnsemble(3, 4, 8, 2, 5, generator())
    inputs = torch.randn(6, 4, generator=generator(1))
    for member, output in enumerate(models(inputs)):
        hidden = inputs
        for layer in range(3):
            hidden = hidden @ models.weights[layer][member] + models.biases[layer][member]
            hidden = hidden.relu() if layer < 2 else hidden
        torch.testing.assert_close(output, hidden)
    first, second = models.weights[0][:2]
    assert not torch.equal(first, second)


def tabular_ucb(actions: int, **settings: object):
    """Contrastive-UCB whose φ is one-hot in the one state coordinate, an action's index."""
    config = ContrastiveUCBConfig(feature_dim=actions, **RAW, **settings)
    reward = build("contrastive_ucb", config, obs_dim=actions)
    # A large logit in the coordinate that is 1: softmax is one-hot to float precision.
    reward.phi = torch.nn.Linear(actions + 2, actions, bias=False)
    reward.phi.weight.data = torch.cat([200 * torch.eye(actions), torch.zeros(actions, 2)], dim=1)
    return reward


def visits(counts: list[int]):
    state = torch.eye(len(counts)).repeat_interleave(torch.tensor(counts), dim=0)
    return batch_of(state, state, torch.zeros(len(state), 0))


def test_ucb_bonus_counts_visits_in_a_table():
    reward = tabular_ucb(3, bonus_scale=2.0, ridge=0.5)
    torch.testing.assert_close(reward(visits([1, 1, 1])), torch.full((3,), 2 / math.sqrt(0.5)))
    reward.loss(visits([9, 1, 0]))
    reward.loss(visits([6, 2, 0]))
    expected = torch.tensor([2 / math.sqrt(n + 0.5) for n in (15, 3, 0)])
    torch.testing.assert_close(reward(visits([1, 1, 1])), expected)


def test_ucb_forgets_old_visits_if_asked():
    reward = tabular_ucb(2, forgetting=0.5)
    reward.loss(visits([8, 0]))
    reward.loss(visits([0, 4]))
    expected = torch.tensor([1 / math.sqrt(n + 1) for n in (4, 4)])
    torch.testing.assert_close(reward(visits([1, 1])), expected)


def test_ucb_loss_by_hand():
    reward = tabular_ucb(2)
    # φ one-hot and ψ(s') = (1, 1) for s' = 0, (2, ½) for s' = 1: h is the table of ψ.
    wanted = torch.tensor([[1.0, 2.0], [1.0, 0.5]])
    reward.psi = torch.nn.Linear(2, 2, bias=False)
    reward.psi.weight.data = (wanted - 1e-6).expm1().log()
    batch = visits([1, 1])
    torch.testing.assert_close(reward.ratios(batch), wanted)
    loss, _ = reward.loss(batch)
    positive = (math.log(1 + 1 / 1) + math.log(1 + 1 / 0.5)) / 2
    negative = (math.log(1 + 2) + math.log(1 + 1)) / 2
    assert loss.item() == pytest.approx((positive + negative) / 2, rel=1e-5)


def test_ucb_refuses_a_batch_without_negatives():
    with pytest.raises(ValueError, match="at least 2 steps"):
        tabular_ucb(2).loss(visits([1, 0]))


def test_empowerment_is_the_ratio_of_the_two_densities():
    reward = build("empowerment", EmpowermentConfig(components=1, min_std=0.1, **RAW))

    class Fixed(torch.nn.Module):
        def __init__(self, mean: float, std: float) -> None:
            super().__init__()
            raw = math.log(math.expm1(math.log(std / 0.1)))
            self.row = torch.tensor([0.0, mean, mean, raw, raw])

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return self.row.expand(len(given), -1)

    reward.inverse.net, reward.source.net = Fixed(0.5, 0.2), Fixed(0.0, 1.0)
    reward.inverse.std_offset = reward.source.std_offset = 0.0
    action = torch.tensor([[0.5, 0.7]])
    batch = dataclasses.replace(arrive(torch.zeros(1, 2)), action=action)
    normal = torch.distributions.Normal
    inverse = normal(0.5, 0.2).log_prob(action).sum().item()
    source = normal(0.0, 1.0).log_prob(action).sum().item()
    assert reward(batch).item() == pytest.approx(inverse - source, rel=1e-5)
    assert reward.loss(batch)[0].item() == pytest.approx(-inverse - source, rel=1e-5)


def test_mixture_density_agrees_with_torch_and_integrates_to_one():
    rng = generator()
    density = ConditionalGaussianMixture(
        2, 1, components=3, hidden_dim=16, hidden_layers=2, generator=rng, min_std=0.05
    )
    torch.nn.init.normal_(density.net[-1].weight, generator=rng)
    given = torch.randn(1, 2, generator=rng)
    grid = torch.linspace(-60, 60, 60_001)[:, None]
    with torch.no_grad():
        log_density = density(grid, given.expand(len(grid), -1))
        log_weight, mean, log_std = density.mixture(given)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=log_weight[0]),
        torch.distributions.Normal(mean[0, :, 0], log_std[0, :, 0].exp()),
    )
    torch.testing.assert_close(log_density, mixture.log_prob(grid[:, 0]), rtol=1e-4, atol=1e-4)
    assert torch.trapezoid(log_density.exp(), grid[:, 0]).item() == pytest.approx(1.0, rel=1e-3)
    assert (log_std >= math.log(0.05)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"components": 0}, "at least 1 component"),
        ({"min_std": 0.0}, "min_std must be in"),
        ({"min_std": 1.0}, "min_std must be in"),
    ],
)
def test_a_mixture_out_of_range_is_refused(settings, message):
    sizes = {"components": 1, "hidden_dim": 4, "hidden_layers": 1, "generator": generator()}
    with pytest.raises(ValueError, match=message):
        ConditionalGaussianMixture(1, 1, **{**sizes, **settings})


def manipulation(distance: list, next_distance: list, violation: list):
    rows = len(distance)
    signals = {
        "gripper_object_distance": torch.tensor(distance),
        "violation": torch.zeros(rows, 1),
    }
    following = {
        "gripper_object_distance": torch.tensor(next_distance),
        "violation": torch.tensor(violation),
    }
    batch = arrive(torch.zeros(rows, 2))
    return dataclasses.replace(batch, signals=signals, next_signals=following)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("closeness", [math.exp(-2), 1.0]),
        ("distance", [-2.0, 0.0]),
        ("progress", [-1.0, 3.0]),
    ],
)
def test_reach_by_hand(form, expected):
    reward = build("reach", ReachConfig(form=form, scale=0.2), gripper_object_distance=1)
    batch = manipulation([[0.2], [0.6]], [[0.4], [0.0]], [[0.0], [0.0]])
    torch.testing.assert_close(reward(batch), torch.tensor(expected), atol=1e-6, rtol=1e-5)


def test_reach_takes_the_nearest_of_several_objects():
    reward = build("reach", ReachConfig(form="distance", scale=1.0), gripper_object_distance=2)
    batch = manipulation([[1.0, 1.0]], [[0.7, 0.3]], [[0.0]])
    assert reward(batch).item() == pytest.approx(-0.3)


def test_safety_is_minus_the_summed_violation_after_the_step():
    reward = build("safety", SafetyConfig(), violation=2)
    batch = manipulation([[0.0]] * 2, [[0.0]] * 2, [[0.5, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(reward(batch), torch.tensor([-1.5, -0.0]))


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (ReachConfig, {"scale": 0.0}),
        (ReachConfig, {"scale": math.nan}),
        (DisagreementConfig, {"members": 1}),
        (ContrastiveUCBConfig, {"ridge": 0.0}),
        (ContrastiveUCBConfig, {"bonus_scale": math.inf}),
        (ContrastiveUCBConfig, {"forgetting": 1.5}),
        (APTConfig, {"neighbours": 0}),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(config, settings):
    name = next(iter(settings))
    with pytest.raises(ValueError, match=f"{name} of {config.__name__} must be"):
        config(**settings)
