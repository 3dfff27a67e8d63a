"""Bounds as functions of a matrix of scores: slow references, truths, gradients, directions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from rl_info.estimators import (
    donsker_varadhan_bound,
    flo_bound,
    gradient_penalty,
    infonce_bound,
    interpolated_bound,
    jensen_shannon_bound,
    nwj_bound,
    smile_bound,
    track_log_partition,
    tracked_partition_bound,
    tuba_bound,
    wasserstein_dependency,
)
from rl_info.estimators.variational.clipped_model import best_limits
from rl_info.estimators.variational.donsker_varadhan import donsker_varadhan_influence
from rl_info.estimators.variational.infonce import infonce_influence
from rl_info.estimators.variational.interpolated import interpolated_influence
from rl_info.estimators.variational.nwj import nwj_influence
from rl_info.estimators.variational.smile import smile_influence

Bound = Callable[[Tensor], Tensor]
DIM, CORRELATION = 4, 0.6
TRUTH = -DIM / 2 * math.log(1 - CORRELATION**2)


def zeros(scores: Tensor) -> Tensor:
    return scores.new_zeros(scores.shape[0])


LOWER: dict[str, Bound] = {
    "infonce": infonce_bound,
    "nwj": lambda s: nwj_bound(s + 1),
    "tuba": lambda s: tuba_bound(s, zeros(s)),
    "interpolated 0.01": lambda s: interpolated_bound(s, zeros(s), 0.01),
    "interpolated 0.5": lambda s: interpolated_bound(s, zeros(s), 0.5),
    "flo": lambda s: flo_bound(s, -s.diagonal()),
    "tracked": lambda s: tracked_partition_bound(s, s.new_zeros(())),
}
OTHERS: dict[str, Bound] = {
    "donsker_varadhan": donsker_varadhan_bound,
    "smile": lambda s: smile_bound(s, 12.0),
}
ALL = LOWER | OTHERS


@cache
def draw(seed: int, samples: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, samples, DIM, generator=generator, dtype=torch.float64)
    return x, CORRELATION * x + math.sqrt(1 - CORRELATION**2) * noise


def best_scores(x: Tensor, y: Tensor) -> Tensor:
    """Log density ratio of all pairs."""
    rest = 1 - CORRELATION**2
    squares = (x.square().sum(1)[:, None] + y.square().sum(1)) * CORRELATION**2
    return TRUTH + (CORRELATION * x @ y.T - squares / 2) / rest


def random_scores(pairs: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(pairs, pairs, generator=generator, dtype=torch.float64)


# --- values -------------------------------------------------------------------------------------


def test_two_pairs_by_hand():
    scores = torch.tensor([[math.log(4.0), 0.0], [math.log(2.0), math.log(6.0)]]).double()
    positives = (math.log(4) + math.log(6)) / 2
    mean = (1 + 2) / 2
    assert infonce_bound(scores).item() == pytest.approx((math.log(8 / 5) + math.log(12 / 8)) / 2)
    assert nwj_bound(scores).item() == pytest.approx(positives - mean / math.e)
    assert donsker_varadhan_bound(scores).item() == pytest.approx(positives - math.log(mean))
    clipped = smile_bound(scores, math.log(1.5)).item()
    assert clipped == pytest.approx(positives - math.log((1 + 1.5) / 2))
    offset = torch.tensor([math.log(2.0), math.log(3.0)]).double()
    tuba = 1 + positives - (math.log(2) + math.log(3)) / 2 - (1 / 2 + 2 / 3) / 2
    assert tuba_bound(scores, offset).item() == pytest.approx(tuba)
    flo = 1 - ((math.log(2) + 1 / 4 / 2) + (math.log(3) + 2 / 6 / 3)) / 2
    assert flo_bound(scores, offset).item() == pytest.approx(flo)
    logistic = (math.log(4 / 5) + math.log(6 / 7)) / 2 - (math.log(2) + math.log(3)) / 2
    assert jensen_shannon_bound(scores).item() == pytest.approx(logistic)
    dependency = positives - math.log(2) / 2
    assert wasserstein_dependency(scores).item() == pytest.approx(dependency)
    tracked = 1 + positives - math.log(5) - mean / 5
    log_partition = torch.tensor(5.0).double().log()
    assert tracked_partition_bound(scores, log_partition).item() == pytest.approx(tracked)


@pytest.mark.parametrize("alpha", [0.01, 0.5, 1.0])
def test_interpolated_bound_ends_one_nat_above_its_joint_term(alpha: float):
    scores = 60 * torch.eye(5, dtype=torch.float64)
    found = interpolated_bound(scores, torch.full((5,), 20.0, dtype=torch.float64), alpha).item()
    highest = math.log(4 / alpha) + (1 if alpha < 1 else 0)
    assert found == pytest.approx(highest, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.01, 0.5, 1.0])
def test_interpolated_bound_equals_loops_over_left_out_candidates(alpha: float):
    scores = random_scores(6) * 3
    offset = random_scores(6, seed=1)[0]
    pairs = scores.shape[0]
    total = 0.0
    for i in range(pairs):
        for j in range(pairs):
            if j == i:
                continue
            weight = []
            for left_out in (j, i):
                kept = [math.exp(scores[i, k]) for k in range(pairs) if k != left_out]
                weight.append(alpha * sum(kept) / (pairs - 1) + (1 - alpha) * math.exp(offset[i]))
            total += scores[i, i].item() - math.log(weight[0])
            total -= math.exp(scores[i, j]) / weight[1]
    expected = 1 + total / (pairs * (pairs - 1))
    assert interpolated_bound(scores, offset, alpha).item() == pytest.approx(expected, rel=1e-10)
    if alpha == 0:
        assert tuba_bound(scores, offset).item() == pytest.approx(expected, rel=1e-10)


def test_interpolated_bound_keeps_its_digits_where_one_candidate_is_all_of_the_sum():
    scores = torch.zeros(3, 3, dtype=torch.float64).fill_diagonal_(200.0)
    # Without the true pair, two candidates of score 0 are left: w = 1 in the product term.
    value = interpolated_bound(scores, zeros(scores), 1.0).item()
    assert value == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_the_optimal_critic_gives_the_truth(name: str):
    values = torch.stack([ALL[name](best_scores(*draw(seed, 400))) for seed in range(20)])
    error = values.std() / math.sqrt(len(values))
    # InfoNCE lies below by about var(ratio) / 2B; the others have no bias worth mentioning here.
    assert abs(values.mean() - TRUTH) < 3 * error + 0.02


def test_jensen_shannon_is_best_at_the_log_ratio():
    scores = best_scores(*draw(0, 1500))
    best = jensen_shannon_bound(scores)
    for other in (scores * 0.8, scores * 1.2, scores + 0.3, scores - 0.3):
        assert jensen_shannon_bound(other) < best


# --- directions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOWER)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.2])
@pytest.mark.parametrize("pairs", [8, 128])
def test_lower_bounds_do_not_exceed_the_truth(name: str, scale: float, pairs: int):
    runs = 150 if pairs == 8 else 20
    values = torch.stack(
        [LOWER[name](scale * best_scores(*draw(seed, pairs))) for seed in range(runs)]
    )
    assert values.mean() <= TRUTH + 3 * values.std() / math.sqrt(runs)


def test_donsker_varadhan_of_few_pairs_is_no_lower_bound():
    """Which is why estimators read by it are tagged as bounding nothing."""
    draws = [best_scores(*draw(seed, 6)) for seed in range(200)]
    # The mean of the diagonal is the truth in expectation: only what goes beyond it is of interest.
    excess = torch.stack([donsker_varadhan_bound(s) - s.diagonal().mean() for s in draws])
    assert excess.mean() > 3 * excess.std() / math.sqrt(200)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_infonce_never_exceeds_ln_k(dtype: torch.dtype):
    for pairs in (*range(2, 12), 37, 59):
        for separation in (1.0, 30.0, 1e4):
            scores = torch.eye(pairs, dtype=dtype) * separation
            assert infonce_bound(scores).item() <= math.log(pairs)
    assert infonce_bound(torch.eye(50, dtype=dtype) * 1e4).item() > math.log(50) - 1e-6


# --- gradients and errors -----------------------------------------------------------------------

GRADIENTS: dict[str, Callable[..., Tensor]] = {
    "infonce": lambda s, v: infonce_bound(s),
    "nwj": lambda s, v: nwj_bound(s),
    "donsker_varadhan": lambda s, v: donsker_varadhan_bound(s),
    "smile": lambda s, v: smile_bound(s, 1.5),
    "jensen_shannon": lambda s, v: jensen_shannon_bound(s),
    "tuba": tuba_bound,
    "flo": flo_bound,
    "interpolated": lambda s, v: interpolated_bound(s, v, 0.3),
    "interpolated 0": lambda s, v: interpolated_bound(s, v, 0.0),
    "interpolated 1": lambda s, v: interpolated_bound(s, v, 1.0),
    "wasserstein": lambda s, v: wasserstein_dependency(s),
    "tracked": lambda s, v: tracked_partition_bound(s, torch.tensor(0.3).double()),
}


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("pairs", [2, 5])
def test_gradients_equal_finite_differences(name: str, pairs: int):
    scores = random_scores(pairs).requires_grad_()
    vector = random_scores(pairs, seed=1)[0].requires_grad_()
    assert torch.autograd.gradcheck(GRADIENTS[name], (scores, vector))


def test_gradient_of_mine_is_that_of_the_paper():
    """E_joint[∇f] − E_product[e^f ∇f] / average, written out for each pair."""
    scores = random_scores(6).requires_grad_()
    before = torch.tensor(0.8).double()
    rate = 0.01
    average = track_log_partition(before, scores, rate)
    off = ~torch.eye(6, dtype=torch.bool)
    mean = scores.detach().exp()[off].mean()
    assert average.exp().item() == pytest.approx(0.99 * before.exp().item() + 0.01 * mean.item())
    (found,) = torch.autograd.grad(tracked_partition_bound(scores, average), scores)
    expected = torch.eye(6).double() / 6 - off * scores.detach().exp() / 30 / average.exp()
    torch.testing.assert_close(found, expected)
    (plain,) = torch.autograd.grad(donsker_varadhan_bound(scores), scores)
    assert not torch.allclose(found, plain)
    first = track_log_partition(None, scores, rate)
    (corrected,) = torch.autograd.grad(tracked_partition_bound(scores, first), scores)
    torch.testing.assert_close(corrected, plain)


INFLUENCES: dict[str, tuple[Bound, Bound]] = {
    "infonce": (infonce_bound, infonce_influence),
    "nwj": (LOWER["nwj"], lambda s: nwj_influence(s + 1)),
    "donsker_varadhan": (donsker_varadhan_bound, donsker_varadhan_influence),
    "smile": (lambda s: smile_bound(s, 1.0), lambda s: smile_influence(s, 1.0)),
    "interpolated": (
        LOWER["interpolated 0.5"],
        lambda s: interpolated_influence(s, zeros(s), 0.5),
    ),
}


@pytest.mark.parametrize("name", INFLUENCES)
def test_standard_errors_equal_the_spread_over_draws(name: str):
    value, influence = INFLUENCES[name]
    values, errors = [], []
    for seed in range(120):
        # A critic that is not the best one: columns then matter as much as rows.
        scores = 0.7 * best_scores(*draw(seed, 100))
        values.append(value(scores))
        errors.append(influence(scores).std() / math.sqrt(100))
    ratio = torch.stack(errors).mean() / torch.stack(values).std()
    assert 0.8 < ratio < 1.25


def test_wrong_scores_and_settings_are_refused():
    for wrong in (torch.zeros(1, 1), torch.zeros(2, 2, 2)):
        with pytest.raises(Exception, match=r"(?i)square matrix|type-check"):
            infonce_bound(wrong)
    with pytest.raises(ValueError, match="alpha"):
        interpolated_bound(random_scores(), random_scores()[0], 1.5)
    with pytest.raises(ValueError, match="clip"):
        smile_bound(random_scores(), 0.0)


class LinearCritic(nn.Module):
    """f(x, y) = slope·(x + y): gradient norm slope·√2 for one column each."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope).double())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.slope * (x + y.T)


def test_gradient_penalty_of_a_linear_critic_and_its_slope():
    x, y = random_scores(4)[:, :1], random_scores(4, seed=1)[:, :1]
    critic = LinearCritic(2.0)
    penalty = gradient_penalty(critic, x, y)
    norm = 2 * math.sqrt(2)
    assert penalty.item() == pytest.approx((norm - 1) ** 2)
    penalty.backward()
    assert critic.slope.grad is not None
    assert critic.slope.grad.item() == pytest.approx(2 * (norm - 1) * math.sqrt(2))
    assert gradient_penalty(LinearCritic(0.5), x, y).item() == 0


def test_limits_of_a_critic_are_those_that_read_most() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(200, 200, generator=generator, dtype=torch.float64) - 3
    scores.diagonal().add_(6)
    calm = float(nwj_bound(scores + 1))
    # One mixed pair of forty thousand is enough to ruin the reading without limits.
    scores[3, 5] = 40.0
    scores[7, 7] = -900.0
    low, high = best_limits(scores)
    assert float(nwj_bound(scores + 1)) < -1e9
    clipped = float(nwj_bound(scores.clamp(low, high) + 1))
    assert clipped > calm - 0.5
    assert high <= math.log(200 * 199)
    assert float(nwj_bound(scores.clamp(max=high) + 1)) < clipped
