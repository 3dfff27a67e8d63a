"""Estimators that learn a critic: what they start from, that they learn, and what they refuse."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from rl_info.estimators import ESTIMATORS, InfoNCE, InfoNCEConfig, build_estimator, infonce_bound
from rl_info.estimators.critics import CRITICS, CriticSize, DistanceCritic
from rl_info.estimators.gaussian_ratio import GaussianRatio
from rl_info.estimators.inputs import HeavyTailWarning, SaturatedWarning
from rl_info.estimators.margins import MARGINS, RankScores
from rl_info.estimators.training import TrainingSettings, minibatches
from rl_info.estimators.variational.meco import MECO
from rl_info.estimators.variational.ratio_model import choose_shrinkage
from rl_info.estimators.variational.scores import log_mean_negatives
from rl_info.estimators.variational.tracked_partition import tracked_partition_bound

NAMES = [
    "infonce",
    "nwj",
    "donsker_varadhan",
    "mine",
    "jsd",
    "smile",
    "tuba",
    "interpolated",
    "flo",
    "meco",
]
SMALL = {"hidden_dim": 32, "batch_size": 128, "check_every": 20, "learning_rate": 5e-3}


def normals(samples: int, dim: int, information: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    rho = math.sqrt(1 - math.exp(-2 * information / dim))
    x, noise = torch.randn(2, samples, dim, generator=generator)
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def folded(samples: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """y depends on |x| alone: no correlation, so that a Gaussian start sees nothing."""
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, samples, 1, generator=generator)
    return x, x.abs() + 0.1 * noise


@pytest.mark.parametrize("name", NAMES)
def test_training_finds_what_the_start_does_not_see(name: str):
    x, y = folded(1500)
    # The logistic loss ends elsewhere than NWJ, which must wait until the critic is near the ratio.
    steps = 240 if name in ("jsd", "smile") else 120
    estimator = build_estimator(name, steps=steps, **SMALL).fit(x[:1000], y[:1000])
    untrained = build_estimator(name, steps=1, **SMALL | {"learning_rate": 1e-12})
    before = untrained.fit(x[:1000], y[:1000]).estimate(x[1000:], y[1000:])
    after = estimator.estimate(x[1000:], y[1000:])
    assert abs(before.value) < 0.1
    assert after.value > before.value + 0.4
    assert estimator.fitted.best_step > 0


@pytest.mark.parametrize("name", NAMES)
def test_normal_information_is_found_within_errors(name: str):
    values = []
    for seed in range(2):
        x, y = normals(2000, 3, 1.5, seed)
        estimate = build_estimator(name, steps=20, seed=seed, **SMALL).fit_estimate(x, y)
        values.append(estimate.value)
        if estimate.bound == "lower":
            assert estimate.value < 1.5 + 3 * estimate.std_error
    assert sum(values) / 2 == pytest.approx(1.5, abs=0.2)


def test_infonce_estimate_stays_below_ln_k_of_its_candidates():
    x, y = normals(600, 10, 12.0)
    estimator = InfoNCE(InfoNCEConfig(steps=1, candidates=50)).fit(x[:400], y[:400])
    with pytest.warns(SaturatedWarning, match="most that 50 pairs can show"):
        value = estimator.estimate(x[400:], y[400:]).value
    assert math.log(50) - 0.1 < value <= math.log(50)


def test_few_samples_that_carry_a_mean_of_exponentials_are_warned_of():
    estimator = build_estimator("nwj", steps=1, **SMALL | {"learning_rate": 1e-12})
    with pytest.warns(HeavyTailWarning, match="one of 200 samples carries"):
        estimator.fit(*normals(800, 3, 12.0)).estimate(*normals(200, 3, 12.0, seed=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.fit(*normals(800, 3, 1.0)).estimate(*normals(200, 3, 1.0, seed=1))


class GivenScores(torch.nn.Module):
    """A critic whose scores are known."""

    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.scores


def test_a_critic_that_ran_away_on_one_pair_is_not_chosen_by_meco():
    x = torch.zeros(100, 1)
    scores = torch.eye(100, dtype=torch.float64)
    meco = MECO()
    meco._fixed = None
    calm = meco.score(GivenScores(scores), x, x)
    first, second = scores[:50, :50], scores[50:, 50:]
    assert calm == tracked_partition_bound(first, log_mean_negatives(second))
    scores[0, 1] = 20.0
    ran_away = GivenScores(scores)
    # At the partition function of its own pairs one such pair costs 20 − ln 9900 nats only.
    assert meco.read(ran_away, x, x).value > -15
    assert meco.score(ran_away, x, x) < -50_000


def test_blocks_of_candidates_are_averaged_by_size():
    x, y = normals(500, 2, 1.0)
    estimator = InfoNCE(InfoNCEConfig(steps=1, candidates=40)).fit(x[:400], y[:400])
    asked = x[400:], y[400:]
    blocks = [part.tensor_split(3) for part in asked]
    values = [estimator.estimate(*pair).value * len(pair[0]) for pair in zip(*blocks, strict=True)]
    assert estimator.estimate(*asked).value == pytest.approx(sum(values) / 100)


@pytest.mark.parametrize("critic", CRITICS)
def test_critics_score_all_pairs_and_start_at_zero(critic: str):
    generator = torch.Generator().manual_seed(0)
    network = CRITICS[critic](CriticSize(3, 2, 16, 2, 4), generator)
    x, y = torch.randn(5, 3, generator=generator), torch.randn(7, 2, generator=generator)
    assert torch.equal(network(x, y), torch.zeros(5, 7))
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(0.0, 0.5, generator=generator)
    scores = network(x, y)
    for i, j in ((0, 0), (4, 6), (2, 3)):
        torch.testing.assert_close(network(x[i : i + 1], y[j : j + 1])[0, 0], scores[i, j])


def test_joint_critic_gives_the_same_scores_in_parts(monkeypatch: pytest.MonkeyPatch):
    generator = torch.Generator().manual_seed(0)
    network = CRITICS["joint"](CriticSize(3, 2, 16, 2, 4), generator)
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(0.0, 0.5, generator=generator)
    x, y = torch.randn(5, 3, generator=generator), torch.randn(7, 2, generator=generator)
    whole = network(x, y)
    monkeypatch.setattr("rl_info.estimators.critics.PAIRS_AT_ONCE", 14)
    torch.testing.assert_close(network(x, y), whole)


def test_distance_critic_is_one_lipschitz_after_training():
    generator = torch.Generator().manual_seed(0)
    critic = DistanceCritic(CriticSize(3, 3, 32, 2, 8), generator)
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-2)
    x, y = normals(256, 3, 6.0)
    for _ in range(60):
        critic.refine()
        loss = -infonce_bound(critic(x, y))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    critic.phi.refine(50)
    critic.psi.refine(50)
    with torch.no_grad():
        rise = (critic(x, y)[:, None] - critic(x[:1], y[:1])).abs().squeeze()
    distance = (x - x[:1]).norm(dim=1)[:, None] + (y - y[:1]).norm(dim=1)
    ratio = (rise / distance.clamp_min(1e-6))[1:, 1:]
    assert ratio.max() <= 1.001
    assert ratio.max() > 0.5


def test_gaussian_ratio_is_the_ratio_of_the_densities():
    x, y = normals(50, 2, 1.0)
    x, y = torch.cat([x, y[:, :1] ** 2], 1).double(), y.double()
    ratio = GaussianRatio(x, y)
    joint = torch.cat([x, y], 1)
    mean, covariance = joint.mean(0), joint.T.cov(correction=0)
    both = MultivariateNormal(mean, covariance)
    parts = (
        MultivariateNormal(mean[:3], covariance[:3, :3]),
        MultivariateNormal(mean[3:], covariance[3:, 3:]),
    )
    expected = both.log_prob(joint) - parts[0].log_prob(x) - parts[1].log_prob(y)
    torch.testing.assert_close(ratio(x, y).diagonal(), expected)
    torch.testing.assert_close(ratio.of_pairs(x, y), expected)


def test_gaussian_ratio_of_few_samples_and_many_columns_is_shrunk_to_nothing():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 120, 20, generator=generator)
    ratio = GaussianRatio(x[:60], y[:60]).float()
    assert ratio(x[60:], y[60:]).diagonal().mean() < -1
    choose_shrinkage(ratio, x[60:], y[60:])
    assert ratio.shrinkage == 0
    assert torch.equal(ratio(x, y), torch.zeros(120, 120))


def test_rank_scores_are_normal_unchanged_by_monotone_maps_and_share_ties():
    x, _ = normals(500, 2, 1.0)
    scores = RankScores(x)(x)
    assert scores.mean().abs() < 1e-3
    assert scores.std() == pytest.approx(1.0, abs=0.02)
    torch.testing.assert_close(RankScores(x.exp())(x.exp()), scores)
    tied = torch.tensor([[1.0], [2.0], [2.0], [3.0]])
    found = RankScores(tied)(torch.tensor([[0.0], [1.0], [1.5], [2.0], [9.0]])).flatten()
    quarter = torch.special.ndtri(torch.tensor(0.125)).item()
    expected = [quarter, quarter, quarter / 2, 0.0, -quarter]
    torch.testing.assert_close(found, torch.tensor(expected))


@pytest.mark.parametrize("name", MARGINS)
def test_constant_columns_pass_every_map(name: str):
    x = torch.cat([torch.ones(20, 1), torch.arange(20.0)[:, None]], 1)
    assert torch.isfinite(MARGINS[name](x)(x)).all()


def test_minibatches_show_every_row_once_a_pass():
    batches = minibatches(10, 3, torch.Generator().manual_seed(0))
    for _ in range(3):
        rows = torch.cat([next(batches) for _ in range(3)])
        assert len(rows.unique()) == 9
    assert len(next(minibatches(2, 8, torch.Generator()))) == 2


def test_an_exploding_loss_is_named():
    x, y = normals(300, 2, 1.0)
    with pytest.raises(FloatingPointError, match="'nwj'"):
        build_estimator("nwj", steps=50, learning_rate=1e3).fit(x, y)


def test_both_constraints_of_wpc_learn_and_stay_below_infonce():
    x, y = normals(900, 4, 4.0)
    small = replace(ESTIMATORS["wpc"].config(), hidden_dim=32, steps=60, check_every=60)
    spectral = build_estimator("wpc", small).fit_estimate(x, y)
    penalised = build_estimator("wpc", replace(small, constraint="penalty")).fit_estimate(x, y)
    free = build_estimator("infonce", steps=20, **SMALL).fit_estimate(x, y)
    assert 5 * spectral.std_error < spectral.value < free.value
    assert 5 * penalised.std_error < penalised.value < free.value


def test_other_widths_than_fitted_are_refused():
    x, y = normals(100, 2, 1.0)
    estimator = build_estimator("infonce", steps=1).fit(x, y)
    with pytest.raises(ValueError, match="fitted to widths"):
        estimator.estimate(x[:, :1], y)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("critic", "deep"),
        ("margins", "log"),
        ("baseline", "normal"),
        ("hidden_dim", 0),
        ("validation", 1.0),
        ("candidates", 1),
        ("steps", 0),
        ("batch_size", 1),
        ("learning_rate", 0.0),
    ],
)
def test_impossible_settings_are_refused(setting: str, value: object):
    with pytest.raises(ValueError, match=setting):
        build_estimator("infonce", **{setting: value})


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("mine", "average_rate", 0.0),
        ("meco", "partition_rate", 1.5),
        ("smile", "clip", 0.0),
        ("interpolated", "alpha", -0.1),
        ("wpc", "penalty", -1.0),
        ("wpc", "baseline", "gaussian"),
    ],
)
def test_impossible_settings_of_one_estimator_are_refused(name: str, setting: str, value: object):
    with pytest.raises(ValueError, match=setting):
        build_estimator(name, **{setting: value})


def test_settings_of_training_name_what_is_wrong():
    with pytest.raises(ValueError, match="patience"):
        TrainingSettings(10, 10, 1e-3, 0.0, 1, 0)
