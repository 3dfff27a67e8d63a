from __future__ import annotations

import pytest
import torch

from rl_info.nn import RunningNormaliser, RunningScale


def rows(count=1000, seed=0):
    values = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return values * torch.tensor([2.0, 0.1, 5.0]) + torch.tensor([1e4, 0.0, -3.0])


def test_batches_give_the_statistics_of_all_rows_at_once():
    values = rows()
    normaliser = RunningNormaliser(3)
    for part in values.split([1, 9, 0, 490, 500]):
        normaliser.observe(part)
    exact = values.double()
    torch.testing.assert_close(normaliser.mean, exact.mean(0), rtol=1e-12, atol=1e-12)
    variance = normaliser.squares / normaliser.count
    torch.testing.assert_close(variance, exact.var(0, correction=0), rtol=1e-9, atol=0)
    standard = normaliser(values)
    torch.testing.assert_close(standard.mean(0), torch.zeros(3), rtol=0, atol=1e-3)
    torch.testing.assert_close(standard.std(0), torch.ones(3), rtol=1e-3, atol=0)


def test_the_normaliser_starts_as_the_identity_and_clips():
    normaliser = RunningNormaliser(3, clip=5.0)
    torch.testing.assert_close(normaliser(torch.tensor([[1.0, -2.0, 9.0]])),
                               torch.tensor([[1.0, -2.0, 5.0]]))  # fmt: skip


def test_a_dimension_that_never_varied_is_only_centred():
    normaliser = RunningNormaliser(2)
    normaliser.observe(torch.tensor([[4.0, 1.0], [4.0, 3.0]]))
    torch.testing.assert_close(normaliser(torch.tensor([[4.5, 3.0]])), torch.tensor([[0.5, 1.0]]))


def test_an_isotropic_normaliser_keeps_the_shape_of_distances():
    values = rows()
    normaliser = RunningNormaliser(3, isotropic=True)
    normaliser.observe(values)
    standard = normaliser(values)
    deviation = values.double().std(0, correction=0)
    scale = deviation.square().mean().sqrt().float()
    torch.testing.assert_close(torch.pdist(standard[:50]) * scale, torch.pdist(values[:50]))
    torch.testing.assert_close(standard.square().mean(), torch.ones(()), rtol=1e-3, atol=0)


def test_the_normaliser_state_round_trips():
    first, second = RunningNormaliser(3), RunningNormaliser(3)
    first.observe(rows())
    second.load_state_dict(first.state_dict())
    second.observe(rows(seed=1))
    first.observe(rows(seed=1))
    assert torch.equal(first(rows(seed=2)), second(rows(seed=2)))


def test_the_scale_is_the_percentile_range_from_the_first_batch_on():
    scale = RunningScale(torch.tensor([True, False, True]), rate=0.1)
    assert torch.equal(scale(), torch.ones(3))
    grid = torch.linspace(0, 1, 101)
    scale.observe(torch.stack([20 * grid, 20 * grid, 0 * grid]))
    torch.testing.assert_close(scale(), torch.tensor([18.0, 1.0, 1e-2]))
    for _ in range(200):
        scale.observe(torch.stack([40 * grid - 7, grid, grid]))
    torch.testing.assert_close(scale(), torch.tensor([36.0, 1.0, 0.9]))


@pytest.mark.parametrize("enabled", [True, False])
def test_a_disabled_scale_keeps_no_statistics(enabled):
    scale = RunningScale(torch.tensor([enabled]))
    scale.observe(torch.randn(1, 50))
    assert bool(scale.seen > 0) is enabled
