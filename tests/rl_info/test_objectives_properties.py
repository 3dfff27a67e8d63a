"""What holds of the objectives whatever the numbers: symmetries, bounds, best and worst cases."""

from __future__ import annotations

import math

import pytest
import torch

from rl_info import objectives as fast

B, D = 8, 6


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value(result):
    return result[0] if isinstance(result, tuple) else result


def heads(views, function):
    temperatures = torch.full((1, views.shape[1], views.shape[1]), 0.5, dtype=views.dtype)
    return function(views[:1], views[1:2], temperatures)


def split(views):
    """Half of the rows are targets, whichever order they come in: those with a positive sum."""
    order = views[0].sum(-1).argsort()
    targets = torch.zeros(views.shape[1], dtype=torch.bool)
    targets[order[views.shape[1] // 2 :]] = True
    return fast.common_and_salient(
        (views[0], views[1]), (views[0, :, :2], views[1, :, :2]), targets
    )


OF_VIEWS = {
    "info_nce": lambda v: fast.info_nce(v[0], v[1], 0.2),
    "nt_xent": lambda v: fast.nt_xent(v[0], v[1], 0.2),
    "dcl": lambda v: fast.decoupled_contrastive(v[0], v[1], 0.2),
    "dclw": lambda v: fast.weighted_decoupled_contrastive(v[0], v[1], 0.2),
    "cacr": fast.attraction_repulsion,
    "mv_info_nce": fast.mv_info_nce,
    "mv_dhel": fast.mv_dhel,
    "amcl": lambda v: heads(v, fast.adaptive_multi_head),
    "mmcr": lambda v: fast.manifold_capacity(v, 0.1),
    "symile_of_two": lambda v: fast.symile([v[0], v[1]], 5.0),
}
OTHERS = {
    "symile": lambda v: fast.symile(list(v), 20.0),
    "sepclr": split,
    "barlow": lambda v: fast.barlow_twins(v[0], v[1]),
    "cs_bottleneck": lambda v: fast.cauchy_schwarz_bottleneck(
        v[0], v[1], v[2], v[2] + 0.1 * v[1], x_bandwidth=3.0, code_bandwidth=3.0, y_bandwidth=3.0
    ),
    "c_mim": lambda v: fast.contrastive_mutual_information_machine(
        v[0, :, 0], v[1, :, 0], v[2, :, 0], v[0]
    ),
    "vib": lambda v: fast.variational_bottleneck(v[0, :, 0], v[0], v[1]),
    "ithp": lambda v: fast.hierarchical_bottleneck(
        (v[0], v[1]), (v[1], v[2]), (v[0, :, 0], v[1, :, 0])
    ),
}


@pytest.mark.parametrize("name", OF_VIEWS | OTHERS)
def test_the_order_of_the_batch_does_not_matter(name):
    function = (OF_VIEWS | OTHERS)[name]
    views = draw(3, B, D, seed=1)
    order = torch.randperm(B, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(value(function(views[:, order])), value(function(views)))


@pytest.mark.parametrize("name", OF_VIEWS)
def test_rotations_and_lengths_of_embeddings_do_not_matter(name):
    views = draw(3, B, D, seed=3)
    rotation, _ = torch.linalg.qr(draw(D, D, seed=4))
    lengths = draw(3, B, 1, seed=5).exp()
    moved = lengths * views @ rotation
    torch.testing.assert_close(value(OF_VIEWS[name](moved)), value(OF_VIEWS[name](views)))


@pytest.mark.parametrize("name", ["mv_info_nce", "mv_dhel", "cacr", "mmcr"])
def test_the_order_of_the_views_does_not_matter(name):
    views = draw(3, B, D, seed=6)
    turned = views[[2, 0, 1]]
    torch.testing.assert_close(value(OF_VIEWS[name](turned)), value(OF_VIEWS[name](views)))


def corners(width):
    """2·width rows as far apart as can be on the sphere: ± the axes."""
    eye = torch.eye(width, dtype=torch.float64)
    return torch.cat([eye, -eye])


@pytest.mark.parametrize("name", OF_VIEWS)
def test_aligned_and_spread_embeddings_beat_collapsed_and_misaligned_ones(name):
    spread = corners(4)
    best = value(OF_VIEWS[name](spread.expand(3, 8, 4)))
    collapsed = value(OF_VIEWS[name](spread[:1].expand(3, 8, 4)))
    rolled = torch.stack([spread, spread.roll(1, 0), spread.roll(2, 0)])
    misaligned = value(OF_VIEWS[name](rolled))
    assert best < collapsed - 0.1
    assert best < misaligned - 0.1


@pytest.mark.parametrize("name", OF_VIEWS | OTHERS)
@pytest.mark.parametrize("point", [0.0, 1.0])
def test_a_collapsed_batch_gives_finite_losses_and_gradients(name, point):
    views = torch.full((3, B, D), point, dtype=torch.float32, requires_grad=True)
    loss = value((OF_VIEWS | OTHERS)[name](views))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(views.grad).all()


def test_collapsed_values_are_those_of_guessing():
    same = torch.ones(3, B, D, dtype=torch.float64)
    assert fast.info_nce(same[0], same[1]).item() == pytest.approx(math.log(B))
    assert fast.nt_xent(same[0], same[1]).item() == pytest.approx(math.log(2 * B - 1))
    assert fast.mv_info_nce(same).item() == pytest.approx(math.log((3 * B - 1) / 2))
    assert fast.symile(list(same)).item() == pytest.approx(math.log(B**2))


@pytest.mark.parametrize("seed", range(5))
def test_no_info_nce_says_more_than_ln_b(seed):
    x = draw(B, D, seed=seed)
    for temperature in (1e-2, 0.1, 1.0):
        assert math.log(B) - fast.info_nce(x, x, temperature) <= math.log(B)
        assert fast.mv_info_nce(draw(3, B, D, seed=seed), temperature) >= 0


def test_info_nce_is_below_the_truth_for_the_best_critic_and_reaches_its_ceiling():
    # Jointly normal x and y = x + noise: −(y − x)²/2σ² is the best critic up to terms in y alone.
    noise, dims = 0.1, 2
    truth = -0.5 * dims * math.log(1 - 1 / (1 + noise**2))
    for size in (4, 64, 512):
        estimates = []
        for seed in range(20):
            x = draw(size, dims, seed=seed)
            y = x + noise * draw(size, dims, seed=1000 + seed)
            # −‖x − y‖²/2σ² as a product of embeddings of width D + 2.
            left = torch.cat([x, -x.square().sum(-1, keepdim=True) / 2, torch.ones(size, 1)], 1)
            right = torch.cat([y, torch.ones(size, 1), -y.square().sum(-1, keepdim=True) / 2], 1)
            loss = fast.info_nce(left.double(), right.double(), noise**2, cosine=False)
            estimates.append(math.log(size) - loss.item())
        estimate = sum(estimates) / len(estimates)
        assert estimate < min(truth, math.log(size))
        if size == 4:
            assert estimate > 0.9 * math.log(4)
    assert estimate > 0.85 * truth


def test_the_gradient_of_dcl_does_not_vanish_with_that_of_nt_xent():
    """Row by row, NT-Xent's gradient is DCL's times the probability of missing the positive."""
    x = corners(2)
    y = (x + 0.05 * draw(4, 2, seed=7)).requires_grad_()
    near = torch.autograd.grad(fast.nt_xent(x, y, 0.1), y)[0].norm()
    decoupled = torch.autograd.grad(fast.decoupled_contrastive(x, y, 0.1), y)[0].norm()
    assert near < 1e-2 * decoupled
    missed = 1 - math.exp(-fast.nt_xent(x, y, 0.1).item())
    assert (near / decoupled).item() == pytest.approx(missed, rel=1.0)


def test_weights_of_dclw_favour_the_distant_pair():
    x = torch.eye(4, dtype=torch.float64)
    y = x.clone()
    y[0] = torch.tensor([0.3, 0.0, 0.0, 0.95])
    y.requires_grad_()
    plain = torch.autograd.grad(fast.decoupled_contrastive(x, y, 0.5), y)[0][0].norm()
    weighted = torch.autograd.grad(fast.weighted_decoupled_contrastive(x, y, 0.5), y)[0][0].norm()
    assert weighted > 1.2 * plain


def test_the_batch_size_hardly_moves_the_contrast_of_cmim():
    codes = draw(512, 32, seed=8)
    zero = torch.zeros(512, dtype=torch.float64)
    small, large = (
        fast.contrastive_mutual_information_machine(zero[:n], zero[:n], zero[:n], codes[:n], 0.5)
        for n in (16, 512)
    )
    assert value(small).item() == pytest.approx(value(large).item(), rel=0.1)
    grown = fast.nt_xent(codes, codes, 0.5) - fast.nt_xent(codes[:16], codes[:16], 0.5)
    assert grown > 1


def test_sepclr_moves_the_salient_code_of_targets_away_from_silence_only():
    generator = torch.Generator().manual_seed(9)
    shared = draw(64, 2, seed=10)
    hidden = torch.randn(64, 1, generator=generator, dtype=torch.float64)
    targets = torch.arange(64) % 2 == 0
    salient = torch.where(targets[:, None], hidden, torch.zeros_like(hidden))

    def loss(code, common=shared):
        return value(fast.common_and_salient((common, common), (code, code), targets))

    right = loss(salient)
    leaking = loss(salient + 0.5 * (~targets[:, None]) * shared[:, :1])
    silent = loss(torch.zeros_like(salient))
    assert right < silent - 0.1
    assert right < leaking - 0.1


def test_sepclr_punishes_a_salient_code_that_repeats_the_common_one():
    common = torch.nn.functional.normalize(draw(256, 2, seed=11), dim=-1)
    targets = torch.ones(256, dtype=torch.bool)
    targets[0] = False
    shuffled = common[torch.randperm(256, generator=torch.Generator().manual_seed(12))]
    repeats, fresh = (
        fast.common_and_salient((common, common), (code, code), targets)[1]["independence"]
        for code in (common, shuffled)
    )
    assert fresh < repeats - 0.2


def test_a_bottleneck_prefers_the_code_that_is_needed_and_no_more():
    x = draw(300, 2, seed=13)
    y = x[:, :1]
    settings = {"beta": 0.5, "x_bandwidth": 1.0, "code_bandwidth": 1.0, "y_bandwidth": 1.0}
    _, needed = fast.cauchy_schwarz_bottleneck(x, x[:, :1], y, y, **settings)
    _, everything = fast.cauchy_schwarz_bottleneck(x, x, y, y, **settings)
    assert needed["information"] < everything["information"] - 0.1
    assert needed["divergence"] == pytest.approx(0, abs=1e-12)
