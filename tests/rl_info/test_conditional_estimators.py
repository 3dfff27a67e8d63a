"""Estimators that model y given x: bounds in closed form, their directions, and learning."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import Tensor

from rl_info.distributions import TASKS, correlated_normal
from rl_info.estimators.barber_agakov import (
    BarberAgakov,
    BarberAgakovConfig,
    barber_agakov_bound,
)
from rl_info.estimators.base import Estimate
from rl_info.estimators.club import CLUB, CLUBConfig, club_bound
from rl_info.estimators.conditional_density import (
    ConditionalDensity,
    gaussian_mixture_log_density,
)
from rl_info.estimators.conditional_pairs import PairConfig, PairEstimator
from rl_info.estimators.entropy_difference import (
    DifferenceOfEntropies,
    DifferenceOfEntropiesConfig,
    difference_of_entropies,
)
from rl_info.estimators.fitted_densities import DensityConfig
from rl_info.estimators.inputs import LooseBoundWarning, NotABoundWarning, SaturatedWarning
from rl_info.estimators.leave_one_out import LeaveOneOut, LeaveOneOutConfig, leave_one_out_bound
from rl_info.estimators.minde import MINDE
from rl_info.estimators.minde_config import MINDEConfig
from rl_info.estimators.noise_levels import score_information
from rl_info.estimators.noise_model import NoiseModel, levels
from rl_info.estimators.whitening import Whitening

RHO = 0.75
PAIR_INFORMATION = -0.5 * math.log(1 - RHO**2)
NORMAL_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
SMALL = {"steps": 60, "hidden_dim": 16, "components": 1, "check_every": 20}


def normal_pair(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, n, 1, generator=generator, dtype=torch.float64)
    return x, RHO * x + math.sqrt(1 - RHO**2) * noise


def true_log_density(x: Tensor, y: Tensor) -> Tensor:
    """ln p(y|x) of `normal_pair`."""
    variance = 1 - RHO**2
    squared = (y - RHO * x).square().sum(dim=-1)
    return -0.5 * (squared / variance + math.log(2 * math.pi * variance))


def some_log_probs(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 5, generator=generator, dtype=torch.float64)


def test_club_is_the_mean_difference_of_all_other_pairs() -> None:
    log_probs = some_log_probs()
    slow = [log_probs[i, i] - log_probs[i, j] for i in range(5) for j in range(5) if i != j]
    assert club_bound(log_probs).item() == pytest.approx(float(sum(slow)) / 20, abs=1e-12)


def test_leave_one_out_is_the_mean_log_share_among_others() -> None:
    log_probs = some_log_probs()
    p = log_probs.exp()
    slow = [math.log(p[j, j] / (sum(p[i, j] for i in range(5) if i != j) / 4)) for j in range(5)]
    assert leave_one_out_bound(log_probs).item() == pytest.approx(sum(slow) / 5, abs=1e-12)


@pytest.mark.parametrize("bound", [club_bound, leave_one_out_bound])
def test_one_pair_has_nothing_to_be_compared_with(bound: object) -> None:
    with pytest.raises(ValueError, match="at least 2 pairs"):
        bound(torch.zeros(1, 1))


@pytest.mark.parametrize("bound", [club_bound, leave_one_out_bound])
def test_gradients_of_bounds_of_pairs_match_finite_differences(bound: object) -> None:
    assert torch.autograd.gradcheck(bound, some_log_probs().requires_grad_())


def test_gradients_of_the_other_functions_match_finite_differences() -> None:
    a, b = (some_log_probs(seed).requires_grad_() for seed in (1, 2))
    assert torch.autograd.gradcheck(lambda v: barber_agakov_bound(v, 1.5), a[0])
    assert torch.autograd.gradcheck(difference_of_entropies, (a[0], b[0]))
    assert torch.autograd.gradcheck(lambda v, w: score_information(v, w, 20.0), (a, b))
    generator = torch.Generator().manual_seed(3)
    parts = [
        torch.randn(4, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((3, 2), (3,), (3, 2), (3, 2))
    ]
    assert torch.autograd.gradcheck(gaussian_mixture_log_density, tuple(parts))


def build_density(x_dim: int, covariance: str = "full") -> ConditionalDensity:
    return ConditionalDensity(
        x_dim,
        2,
        components=3,
        covariance=covariance,
        hidden_dim=8,
        hidden_layers=1,
        generator=torch.Generator().manual_seed(0),
    ).double()


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_conditional_densities_integrate_to_one(covariance: str) -> None:
    density = build_density(1, covariance)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in density.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.3 * noise)
    axis = torch.linspace(-12, 12, 481, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    x = torch.full((len(grid), 1), 0.7, dtype=torch.float64)
    total = density(x, grid).exp().sum() * (axis[1] - axis[0]) ** 2
    assert total.item() == pytest.approx(1.0, abs=1e-3)


def test_densities_of_pairs_agree_with_those_of_rows() -> None:
    density = build_density(3)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    density.start_at_regression(x, y[:4])
    pairs = density.pairs(x, y)
    for i in range(4):
        torch.testing.assert_close(pairs[i], density(x[i : i + 1].expand(5, 3), y))


def test_one_component_starts_at_the_regression_of_y_on_x() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(500, 2, generator=generator, dtype=torch.float64)
    x = Whitening.of(x)(x)
    y = x @ torch.tensor([[0.5, 0.2], [-0.3, 0.6]], dtype=torch.float64)
    y = y + 0.4 * torch.randn(500, 2, generator=generator, dtype=torch.float64) @ torch.tensor(
        [[1.0, 0.8], [0.0, 0.5]], dtype=torch.float64
    )
    density = ConditionalDensity(
        2, 2, components=1, covariance="full", hidden_dim=8, hidden_layers=1, generator=generator
    ).double()
    density.start_at_regression(x, y)
    slope = x.T @ y / 500
    error = y - x @ slope
    expected = torch.distributions.MultivariateNormal(
        torch.zeros(2, dtype=torch.float64), error.T @ error / 500
    ).log_prob(error)
    torch.testing.assert_close(density(x, y), expected, rtol=1e-4, atol=1e-4)


def test_whitening_gives_unit_covariance_and_drops_what_does_not_vary() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(400, 2, generator=generator, dtype=torch.float64) * torch.tensor([1e-6, 1e6])
    whitening = Whitening.of(x)
    white = whitening(x)
    torch.testing.assert_close(white.T @ white / 400, torch.eye(2, dtype=torch.float64))
    assert whitening.log_determinant == pytest.approx(
        torch.linalg.slogdet(whitening.matrix).logabsdet.item()
    )
    doubled = torch.cat([x, x[:, :1] + x[:, 1:], torch.ones(400, 1)], dim=1)
    assert Whitening.of(doubled)(doubled).shape == (400, 2)
    assert math.isinf(Whitening.of(doubled).log_determinant)


def over_seeds(estimator: object, seeds: int, n: int) -> tuple[float, float]:
    """Mean estimate on fresh normal pairs, and its standard error over seeds."""
    values = torch.tensor([estimator(*normal_pair(n, seed)).value for seed in range(seeds)])
    return values.mean().item(), values.std().item() / math.sqrt(seeds)


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.LooseBoundWarning")
def test_upper_bounds_with_the_true_density_lie_above_the_truth() -> None:
    for built, config in ((CLUB, CLUBConfig), (LeaveOneOut, LeaveOneOutConfig)):
        known = built(config(log_density=true_log_density))
        mean, error = over_seeds(known.fit_estimate, 20, 200)
        assert mean > PAIR_INFORMATION - 3 * error
        with warnings.catch_warnings():
            warnings.simplefilter("error", NotABoundWarning)
            assert known.estimate(*normal_pair(50)).bound == "upper"


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.LooseBoundWarning")
def test_club_with_the_true_density_matches_its_closed_form() -> None:
    mean, error = over_seeds(CLUB(CLUBConfig(log_density=true_log_density)).estimate, 20, 500)
    assert mean == pytest.approx(RHO**2 / (1 - RHO**2), abs=3 * error)


def test_upper_bounds_that_are_far_from_tight_say_so() -> None:
    x, y = correlated_normal(1, 4.0).sample(200, torch.Generator().manual_seed(0), torch.float64)
    rho = math.sqrt(1 - math.exp(-8.0))

    def density(a: Tensor, b: Tensor) -> Tensor:
        return torch.distributions.Normal(rho * a, math.exp(-4.0)).log_prob(b).sum(dim=-1)

    with pytest.warns(LooseBoundWarning, match="leave_one_out of the same density reads"):
        club = CLUB(CLUBConfig(log_density=density)).estimate(x, y)
    with pytest.warns(SaturatedWarning, match="too near ln 200"):
        tighter = LeaveOneOut(LeaveOneOutConfig(log_density=density)).estimate(x, y)
    # In expectation ρ²/(1 − ρ²) = e⁸ − 1, from the density that reads 4 nats exactly.
    assert club.value == pytest.approx(math.exp(8.0) - 1, abs=4 * club.std_error)
    assert 4.0 - 3 * tighter.std_error < tighter.value < club.value


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.SaturatedWarning")
def test_leave_one_out_tightens_with_the_number_of_pairs() -> None:
    known = LeaveOneOut(LeaveOneOutConfig(log_density=true_log_density))
    few, _ = over_seeds(lambda x, y: known.estimate(x[:3], y[:3]), 200, 3)
    many, error = over_seeds(known.estimate, 20, 500)
    assert few > many + 0.05
    assert many == pytest.approx(PAIR_INFORMATION, abs=3 * error + 0.01)


@pytest.mark.parametrize(
    ("built", "config", "pure"),
    [
        (CLUB, CLUBConfig, club_bound),
        (LeaveOneOut, LeaveOneOutConfig, leave_one_out_bound),
    ],
)
def test_blocks_of_pairs_give_the_value_of_all_at_once(
    built: type[PairEstimator],
    config: type[PairConfig],
    pure: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = normal_pair(40)
    whole = true_log_density(x[:, None], y[None, :])
    monkeypatch.setattr("rl_info.estimators.conditional_pairs.BLOCK_PAIRS", 7 * 40)
    found = built(config(log_density=true_log_density)).estimate(x, y)
    assert found.value == pytest.approx(pure(whole).item(), abs=1e-10)


def test_a_density_of_the_wrong_shape_is_refused() -> None:
    wrong = CLUB(CLUBConfig(log_density=lambda x, y: y))
    with pytest.raises(ValueError, match="one number a row"):
        wrong.estimate(*normal_pair(20))


def test_a_known_entropy_makes_barber_agakov_a_lower_bound() -> None:
    def estimate(x: Tensor, y: Tensor) -> Estimate:
        # In other units, so that a forgotten determinant shows.
        config = BarberAgakovConfig(entropy=NORMAL_ENTROPY + math.log(5), **SMALL)
        return BarberAgakov(config).fit_estimate(x, 5 * y)

    assert estimate(*normal_pair(200)).bound == "lower"
    mean, error = over_seeds(estimate, 8, 600)
    assert PAIR_INFORMATION - 0.15 < mean < PAIR_INFORMATION + 3 * error


def test_values_that_are_no_bounds_say_so() -> None:
    x, y = normal_pair(100)
    for estimator in (
        CLUB(CLUBConfig(steps=1)),
        LeaveOneOut(LeaveOneOutConfig(steps=1)),
        BarberAgakov(BarberAgakovConfig(steps=1)),
    ):
        with pytest.warns(NotABoundWarning):
            assert estimator.fit_estimate(x, y).bound == "none"


def test_an_entropy_needs_a_density() -> None:
    x, y = normal_pair(100)
    with pytest.raises(ValueError, match="linearly dependent"):
        BarberAgakov(BarberAgakovConfig(entropy=1.0)).fit(x, torch.cat([y, 2 * y], dim=1))


@pytest.mark.parametrize("task", ["uniform-0.1-1x1", "swiss-roll-2x1"])
def test_differences_of_entropies_learn_what_is_not_linear(task: str) -> None:
    x, y = TASKS[task].sample(2000, torch.Generator().manual_seed(0), torch.float64)
    built = DifferenceOfEntropies(DifferenceOfEntropiesConfig(steps=600, hidden_dim=64))
    found = built.fit_estimate(x, y)
    truth = TASKS[task].information
    assert found.value == pytest.approx(truth, abs=0.12 * truth + 3 * found.std_error)
    # The linear-Gaussian start knows far less of both.
    start = DifferenceOfEntropies(DifferenceOfEntropiesConfig(steps=1)).fit_estimate(x, y)
    assert found.value > start.value + 0.05


def test_no_ceiling_stops_the_difference_of_entropies_or_minde() -> None:
    task = correlated_normal(5, 8.0)
    x, y = task.sample(1500, torch.Generator().manual_seed(0))
    for estimator in (
        DifferenceOfEntropies(DifferenceOfEntropiesConfig(components=1, steps=50)),
        MINDE(MINDEConfig(steps=100)),
    ):
        assert estimator.fit_estimate(x, y).value == pytest.approx(8.0, abs=0.6)


def test_minde_learns_what_is_not_linear() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 1, generator=generator)
    y = x.square() + 0.3 * torch.randn(2000, 1, generator=generator)
    learned = MINDE(
        MINDEConfig(steps=600, learning_rate=3e-3, hidden_dim=64, hidden_layers=2)
    ).fit_estimate(x, y)
    start = MINDE(MINDEConfig(steps=1)).fit_estimate(x, y)
    reference = DifferenceOfEntropies(
        DifferenceOfEntropiesConfig(steps=600, hidden_dim=64)
    ).fit_estimate(x, y)
    assert start.value < 0.1
    assert 0.5 * reference.value < learned.value < 1.2 * reference.value


def test_the_denoiser_starts_exact_for_normal_variables() -> None:
    rho = torch.tensor([RHO], dtype=torch.float64)
    model = NoiseModel(
        rho, 1, 1, hidden_dim=4, hidden_layers=1, generator=torch.Generator().manual_seed(0)
    ).double()
    generator = torch.Generator().manual_seed(1)
    x, y = normal_pair(20_000)
    log_snr = torch.empty(len(x), dtype=torch.float64).uniform_(-9, 14, generator=generator)
    alpha, sigma = levels(log_snr)
    noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    noisy = alpha * x + sigma * noise
    predicted = {
        knows: sigma * noisy
        + alpha * model(noisy, log_snr, y, torch.full((len(x),), knows)).detach()
        for knows in (True, False)
    }
    assert score_information(predicted[True], predicted[False], 23.0).item() == pytest.approx(
        PAIR_INFORMATION, abs=0.02
    )
    # The error of a conditional mean is uncorrelated with what it knows.
    error = noise - predicted[True]
    for known in (noisy, y):
        assert abs(torch.corrcoef(torch.cat([error, known], dim=1).T)[0, 1]) < 0.03


@pytest.mark.parametrize(
    "settings",
    [{"components": 0}, {"validation": 1.0}, {"steps": 0}, {"learning_rate": 0.0}],
)
def test_impossible_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        DensityConfig(**settings)


def test_leave_one_out_refuses_what_its_samples_cannot_show() -> None:
    x, y = correlated_normal(1, 8.0).sample(600, torch.Generator().manual_seed(0), torch.float64)
    learned = LeaveOneOut(LeaveOneOutConfig(steps=2))
    with pytest.raises(ValueError, match=r"above ln 150 .* use difference_of_entropies"):
        learned.fit_estimate(x, y)
