"""MIST's meta-data and how its samples are prepared."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from rl_info.distributions.base import DensityRatio
from rl_info.distributions.irrelevant import IrrelevantColumns
from rl_info.estimators.mist.families import BASES, EVERY, TRAINING, TRANSFORMS, UNSEEN
from rl_info.estimators.mist.meta_data import MetaConfig, draw_batch, draw_set, draw_size
from rl_info.estimators.mist.rows import (
    SIDE,
    WIDTH,
    agree_in_sign,
    match_columns,
    prepare,
)
from rl_info.estimators.mist.summary import CONTEXT, summarise
from rl_info.estimators.normal_scores import normal_scores


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(samples: int, dims: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, dims, generator=generator(seed), dtype=torch.float64)


def test_sixteen_of_thirty_two_families_are_trained_on() -> None:
    assert len(TRAINING) == len(set(TRAINING)) == 16
    assert len(UNSEEN) == 16
    assert set(TRAINING) | set(UNSEEN) == set(EVERY)


@pytest.mark.parametrize("name", BASES)
def test_truth_of_a_family_is_the_mean_log_ratio_of_its_draws(name: str) -> None:
    distribution = BASES[name](3, 2, np.random.default_rng(4))
    truth = distribution.information
    if isinstance(distribution, IrrelevantColumns):
        distribution = distribution.base
    assert isinstance(distribution, DensityRatio)
    ratio = distribution.log_ratio(*distribution.sample(40_000, generator()))
    error = float(ratio.std()) / math.sqrt(len(ratio))
    assert error < 0.02
    assert float(ratio.mean()) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("name", EVERY)
def test_families_have_the_dimensions_that_were_asked_for(name: str) -> None:
    for x_dims, y_dims in ((1, 1), (2, 2), (5, 3), (1, 32)):
        distribution = EVERY[name](x_dims, y_dims, np.random.default_rng(0))
        x, y = distribution.sample(4, generator())
        assert (x.shape[1], y.shape[1]) == (x_dims, y_dims)
        assert math.isfinite(distribution.information)
        assert distribution.information >= 0


def test_transforms_reach_the_samples_and_not_the_truth() -> None:
    plain = EVERY["student-sparse-base"](3, 3, np.random.default_rng(1))
    for name, transform in TRANSFORMS.items():
        mapped = EVERY[f"student-sparse-{name}"](3, 3, np.random.default_rng(1))
        assert mapped.information == plain.information
        torch.testing.assert_close(
            mapped.sample(5, generator())[0], transform(plain.sample(5, generator())[0])
        )


def test_batches_follow_from_their_seed() -> None:
    config = MetaConfig(samples=(10, 40), dims=(1, 6))
    first, again = draw_batch(config, 4, (0, 1)), draw_batch(config, 4, (0, 1))
    other = draw_batch(config, 4, (0, 2))
    assert torch.equal(first.rows, again.rows)
    assert torch.equal(first.information, again.information)
    assert not torch.equal(first.information, other.information)
    assert first.rows.shape[0] == 4
    assert 10 <= first.rows.shape[1] <= 40
    assert first.context.shape == (4, CONTEXT)


def test_sizes_cover_their_bounds() -> None:
    random = np.random.default_rng(0)
    for logarithmic in (0.0, 1.0):
        seen = {draw_size((2, 5), logarithmic, random) for _ in range(300)}
        assert seen == {2, 3, 4, 5}


def test_only_named_families_are_drawn() -> None:
    config = MetaConfig(families=("uniform-base",), dims=(2, 3), same_dims=1.0)
    each = draw_set(config, 12, np.random.default_rng(0))
    assert each.family == "uniform-base"
    assert each.x.shape == each.y.shape
    with pytest.raises(ValueError, match="unknown families"):
        MetaConfig(families=("cauchy",))
    with pytest.raises(ValueError, match="increasing pair"):
        MetaConfig(samples=(20, 10))


def test_normal_scores_match_scipy_with_and_without_ties() -> None:
    columns = draws(30, 2)
    columns[:, 1] = columns[:, 1].round(decimals=0)
    assert len(columns[:, 1].unique()) < 10
    ranks = stats.rankdata(columns.numpy(), axis=0)
    expected = stats.norm.ppf((ranks - 0.5) / 30)
    np.testing.assert_allclose(normal_scores(columns).numpy(), expected, rtol=1e-9, atol=1e-12)


def test_partners_are_the_strongest_free_correlations() -> None:
    correlations = torch.tensor([[0.1, -0.9, 0.3], [0.2, 0.8, 0.7]])
    x_order, y_order = match_columns(correlations)
    assert x_order.tolist() == [0, 1]
    assert y_order.tolist() == [1, 2, 0]


def test_signs_agree_after_any_reflections() -> None:
    common = draws(200, 1)
    x, y = common + 0.5 * draws(200, 3, 1), common + 0.5 * draws(200, 2, 2)
    signs = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0], dtype=torch.float64)
    left, right = agree_in_sign(x * signs[:3], y * signs[3:])
    moments = torch.corrcoef(torch.cat([left, right], dim=1).T)
    assert (moments > 0.3).all()


def test_preparation_forgets_what_keeps_information() -> None:
    x, y = draws(60, 4), draws(60, 3, 1)
    y[:, 0] += 2 * x[:, 2]
    y[:, 1] -= x[:, 0]
    rows, context = prepare(x, y)
    changed = x[:, [2, 0, 3, 1]].exp(), -y[:, [1, 2, 0]].pow(3)
    again, context_again = prepare(*changed)
    signs = torch.sign((rows * again).sum(dim=0))
    torch.testing.assert_close(again * signs, rows)
    torch.testing.assert_close(context_again.abs(), context.abs())


def test_rows_are_padded_with_zeros() -> None:
    rows, context = prepare(draws(20, 3), draws(20, 2, 1))
    assert rows.shape == (20, WIDTH)
    assert context.shape == (CONTEXT,)
    used = rows.abs().sum(dim=0) > 0
    assert used.nonzero().flatten().tolist() == [0, 1, 2, SIDE, SIDE + 1]


def test_summary_tells_strength_and_tails() -> None:
    x = draws(300, 2)
    noise = draws(300, 2, 1)
    summaries = [summarise(x, x + width * noise) for width in (4.0, 1.0, 0.3)]
    plug_in = [float(each[3 + 7 + 2 + 5]) for each in summaries]
    assert all(low < high for low, high in pairwise(plug_in))
    scale = draws(300, 1, 2).exp()
    light, heavy = summarise(x, noise), summarise(x * scale, noise * scale)
    assert heavy[-3] > light[-3] + 0.5


def test_constant_columns_stay_finite() -> None:
    rows, context = prepare(torch.zeros(15, 2, dtype=torch.float64), draws(15, 1))
    assert rows.isfinite().all()
    assert context.isfinite().all()
