"""Values of the objectives: slow references, small cases by hand, gradients and refusals."""

from __future__ import annotations

import math

import numpy as np
import objective_references as slow
import pytest
import torch
from torch.autograd import gradcheck

from rl_info import objectives as fast
from rl_info.distances import squared_distances
from rl_info.objectives.cs_bottleneck import gaussian_kernel
from rl_info.objectives.geometry import without_diagonal

B, D, M = 5, 4, 3


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def value(result):
    return result[0] if isinstance(result, tuple) else result


X, Y = draw(B, D, seed=1), draw(B, D, seed=2)
VIEWS = draw(M, B, D, seed=3)
HEADS = draw(2, B, D, seed=4), draw(2, B, D, seed=5)
WARMTH = fast.adaptive_temperature(draw(2, B, 3, seed=6), draw(2, B, 3, seed=7), 0.1, 2.0)
SALIENT = draw(B, 3, seed=8), draw(B, 3, seed=9)
TARGETS = torch.tensor([True, False, True, True, False])
LOGS = draw(3, B, seed=10)
STDS = 0.3 * draw(B, D, seed=11)

CASES = {
    "info_nce": (lambda x, y: fast.info_nce(x, y, 0.5), (X, Y)),
    "info_nce_one_sided": (lambda x, y: fast.info_nce(x, y, 0.5, symmetric=False), (X, Y)),
    "info_nce_products": (lambda x, y: fast.info_nce(x, y, 0.5, cosine=False), (X, Y)),
    "nt_xent": (lambda x, y: fast.nt_xent(x, y, 0.3), (X, Y)),
    "dcl": (lambda x, y: fast.decoupled_contrastive(x, y, 0.3), (X, Y)),
    "cacr": (lambda v: value(fast.attraction_repulsion(v, 1.5, 2.0)), (VIEWS,)),
    "mv_info_nce": (lambda v: fast.mv_info_nce(v, 0.4), (VIEWS,)),
    "mv_dhel": (lambda v: fast.mv_dhel(v, 0.4), (VIEWS,)),
    "symile": (lambda *z: fast.symile(z, 3.0), tuple(VIEWS)),
    "symile_shuffled": (
        lambda *z: fast.symile(z, 3.0, generator=torch.Generator().manual_seed(0)),
        tuple(VIEWS),
    ),
    "amcl": (lambda x, y, t: value(fast.adaptive_multi_head(x, y, t, 0.2)), (*HEADS, WARMTH)),
    "sepclr": (
        lambda c, d, s, t: value(
            fast.common_and_salient((c, d), (s, t), TARGETS, salient_weight=2.0,
                                    silence_weight=3.0, independence_weight=0.5, bandwidth=0.7)
        ),
        (X, Y, *SALIENT),
    ),
    "mmcr": (lambda v: value(fast.manifold_capacity(v, 0.3)), (VIEWS,)),
    "barlow": (lambda x, y: value(fast.barlow_twins(x, y, 0.1)), (X, Y)),
    "r2_dreamer": (lambda x: value(fast.redundancy_reduction(x, Y)), (X,)),
    "vib": (lambda p, m, s: value(fast.variational_bottleneck(p, m, s, 0.2)), (LOGS[0], X, STDS)),
    "cs_bottleneck": (
        lambda x, z, y, p: value(
            fast.cauchy_schwarz_bottleneck(x, z, y, p, beta=0.3, x_bandwidth=2.0,
                                           code_bandwidth=1.5, y_bandwidth=0.8)
        ),
        (X, Y, *SALIENT),
    ),
    "ithp": (
        lambda m, n, s, p, q: value(fast.hierarchical_bottleneck((m, n), (s, s), (p, q))),
        (X, Y, STDS, LOGS[0], LOGS[1]),
    ),
    "a_mim": (lambda a, b, c: value(fast.mutual_information_machine(a, b, c)), tuple(LOGS)),
    "c_mim": (
        lambda a, b, c, z: value(fast.contrastive_mutual_information_machine(a, b, c, z, 0.3)),
        (*LOGS, X),
    ),
}  # fmt: skip


def nuclear(matrix):
    return np.sqrt(np.linalg.eigvalsh(matrix @ matrix.T).clip(0)).sum()


def manifold_capacity_by_eigenvalues(views, compression):
    z = np.array([slow.sphere(slow.rows(view)) for view in views])
    extent = np.mean([nuclear(z[:, b]) for b in range(z.shape[1])])
    return compression * extent - nuclear(z.mean(0))


def products_by_loop():
    logits = [[slow.dot(a, b) / 0.5 for b in slow.rows(Y)] for a in slow.rows(X)]
    forth = -slow.mean(math.log(slow.softmax(row)[i]) for i, row in enumerate(logits))
    columns = list(zip(*logits, strict=True))
    back = -slow.mean(math.log(slow.softmax(row)[i]) for i, row in enumerate(columns))
    return (forth + back) / 2


def bottleneck_by_loop():
    x, z, y, p = X, Y, *SALIENT
    info = [slow.cauchy_schwarz_information(a, b, s, t)
            for a, b, s, t in ((x, z, 2.0, 1.5), (x, x, 2.0, 2.0), (z, z, 1.5, 1.5))]  # fmt: skip
    divergence = slow.conditional_cauchy_schwarz(x, y, p, 2.0, 0.8)
    return divergence + 0.3 * info[0] / math.sqrt(info[1] * info[2])


def machine_by_loop():
    return -slow.mean(a + (b + c) / 2 for a, b, c in zip(*slow.rows(LOGS), strict=True))


REFERENCES = {
    "info_nce": lambda: (slow.one_sided(X, Y, 0.5) + slow.one_sided(Y, X, 0.5)) / 2,
    "info_nce_one_sided": lambda: slow.one_sided(X, Y, 0.5),
    "info_nce_products": products_by_loop,
    "nt_xent": lambda: slow.nt_xent(X, Y, 0.3),
    "dcl": lambda: slow.decoupled(X, Y, 0.3),
    "cacr": lambda: slow.attraction_repulsion(VIEWS, 1.5, 2.0),
    "mv_info_nce": lambda: slow.mv_info_nce(VIEWS, 0.4),
    "mv_dhel": lambda: slow.mv_dhel(VIEWS, 0.4),
    "symile": lambda: slow.symile_all(VIEWS, 3.0),
    "amcl": lambda: slow.adaptive_multi_head(*HEADS, WARMTH, 0.2),
    "sepclr": lambda: slow.common_and_salient((X, Y), SALIENT, TARGETS, (2.0, 3.0, 0.5), 0.7),
    "mmcr": lambda: manifold_capacity_by_eigenvalues(VIEWS, 0.3),
    "barlow": lambda: slow.barlow_twins(X, Y, 0.1, 1e-8),
    "r2_dreamer": lambda: 0.05 * slow.barlow_twins(X, Y, 5e-4, 1e-8),
    "vib": lambda: slow.mean(slow.rows(LOGS[0])) + 0.2 * slow.rate(X, STDS),
    "cs_bottleneck": bottleneck_by_loop,
    "ithp": lambda: (
        slow.rate(X, STDS) + 8 * slow.mean(slow.rows(LOGS[0]))
        + 0.3 * (slow.rate(Y, STDS) + 32 * slow.mean(slow.rows(LOGS[1])))
    ),
    "a_mim": machine_by_loop,
    "c_mim": lambda: machine_by_loop() + slow.contrast_of_codes(X, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_values_equal_the_slow_reference(name):
    function, arguments = CASES[name]
    result = function(*arguments)
    assert result.shape == ()
    assert abs(result.item() - REFERENCES[name]()) < 1e-10


def test_weighted_dcl_equals_the_slow_reference():
    result = fast.weighted_decoupled_contrastive(X, Y, 0.3, 0.6)
    assert abs(result.item() - slow.decoupled(X, Y, 0.3, 0.6)) < 1e-10


@pytest.mark.parametrize("name", CASES)
def test_gradients_equal_finite_differences(name):
    function, arguments = CASES[name]
    assert gradcheck(function, tuple(a.clone().requires_grad_() for a in arguments))


def test_the_weights_of_dclw_take_no_gradient():
    x = X.clone().requires_grad_()
    fast.weighted_decoupled_contrastive(x, Y, 0.3, 0.6).backward()
    similarity = torch.nn.functional.cosine_similarity(X, Y)
    weight = 2 - (similarity / 0.6).exp() / (similarity / 0.6).exp().mean()
    held = X.clone().requires_grad_()
    positive = torch.nn.functional.cosine_similarity(held, Y) / 0.3
    fast_dcl = fast.decoupled_contrastive(held, Y, 0.3)
    (fast_dcl - ((weight - 1) * positive).mean()).backward()
    torch.testing.assert_close(x.grad, held.grad)


@pytest.mark.parametrize("name", CASES)
def test_float32_agrees_and_keeps_its_type(name):
    function, arguments = CASES[name]
    single = [a.float() for a in arguments]
    if name == "r2_dreamer":
        result = value(fast.redundancy_reduction(single[0], Y.float()))
    else:
        result = function(*single)
    assert result.dtype == torch.float32
    assert result.item() == pytest.approx(function(*arguments).item(), rel=1e-3, abs=1e-4)


def test_info_nce_by_hand():
    eye = torch.eye(2, dtype=torch.float64)
    expected = math.log(1 + math.exp(-1 / 0.5))
    assert fast.info_nce(eye, eye, 0.5).item() == pytest.approx(expected, abs=1e-14)
    assert fast.info_nce(eye, eye.flip(0), 0.5).item() == pytest.approx(expected + 2, abs=1e-14)


def test_decoupled_contrast_by_hand():
    eye = torch.eye(2, dtype=torch.float64)
    assert fast.decoupled_contrastive(eye, eye, 0.5).item() == pytest.approx(math.log(2) - 2)
    assert fast.weighted_decoupled_contrastive(eye, eye, 0.5).item() == pytest.approx(
        math.log(2) - 2
    )


def test_attraction_weighs_the_far_and_repulsion_the_near():
    # Views of one sample at squared distances 2 and 4 of the first, on the circle.
    circle = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    views = circle[:, None].repeat(1, 2, 1)
    heavy = (2 * math.exp(2) + 4 * math.exp(4)) / (math.exp(2) + math.exp(4))
    _, terms = fast.attraction_repulsion(views)
    assert terms["attraction"].item() == pytest.approx((2 * heavy + 2) / 3)
    assert terms["repulsion"].item() == pytest.approx(-(2 + 2 + 4) / 3)


def test_symile_by_hand():
    z = torch.eye(2, dtype=torch.float64)
    matched = math.log(1 + 3 * math.exp(-2.0))
    assert fast.symile([z, z, z], 2.0).item() == pytest.approx(matched, abs=1e-14)


def test_symile_of_two_modalities_is_symmetric_info_nce():
    torch.testing.assert_close(fast.symile([X, Y], 4.0), fast.info_nce(X, Y, 0.25))


def test_shuffled_symile_keeps_the_matched_and_draws_only_from_its_generator():
    first, again, other = (
        fast.symile(list(VIEWS), 3.0, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
    same = VIEWS[:, :1].expand(M, B, D)
    alike = fast.symile(list(same), 3.0, generator=torch.Generator().manual_seed(0))
    assert alike.item() == pytest.approx(math.log(B))


def test_adaptive_temperatures_stay_within_their_bounds():
    wide = fast.adaptive_temperature(1e3 * HEADS[0], HEADS[1], 0.05, 1.5)
    assert wide.min() >= 0.05
    assert wide.max() <= 1.5
    zero = fast.adaptive_temperature(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), 0.5, 1.5)
    torch.testing.assert_close(zero, torch.ones(1, 2, 2))


def test_one_head_and_one_temperature_is_hardest_negative_contrast():
    constant = torch.full((1, B, B), 0.5, dtype=torch.float64)
    loss, terms = fast.adaptive_multi_head(HEADS[0][:1], HEADS[1][:1], constant)
    assert terms["temperature"] == 0
    cosine = torch.nn.functional.cosine_similarity(HEADS[0][0][:, None], HEADS[1][0], dim=-1)
    hardest = cosine.clone().fill_diagonal_(-2).max(dim=-1).values
    torch.testing.assert_close(loss, ((hardest - cosine.diagonal()) / 0.5).mean())


def test_rate_is_zero_for_the_prior_and_closed_form_elsewhere():
    zero = torch.zeros(3, 2, dtype=torch.float64)
    assert torch.equal(fast.rate(zero, zero), torch.zeros(3, dtype=torch.float64))
    mean, log_std = zero + 2.0, zero + math.log(0.5)
    expected = 2 * (0.5 * (4 + 0.25 - 1) + math.log(2))
    torch.testing.assert_close(fast.rate(mean, log_std), torch.full((3,), expected).double())


def test_barlow_of_a_whitened_batch_with_itself_is_zero():
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    assert value(fast.barlow_twins(x, x)).item() == pytest.approx(0, abs=1e-14)
    mirrored, terms = fast.barlow_twins(x, -x)
    assert mirrored.item() == pytest.approx(8)
    assert terms["redundancy"].item() == pytest.approx(0, abs=1e-30)


def test_no_gradient_reaches_the_target_of_the_r2_dreamer_form():
    target = Y.clone().requires_grad_()
    prediction = X.clone().requires_grad_()
    value(fast.redundancy_reduction(prediction, target)).backward()
    assert target.grad is None
    assert prediction.grad.abs().sum() > 0


def test_cauchy_schwarz_information_sees_dependence_and_its_normal_form_is_one_for_itself():
    x = draw(200, 1, seed=12)
    noise = draw(200, 1, seed=13)
    alone = fast.cauchy_schwarz_information(x, noise, 0.5, 0.5)
    bound = fast.cauchy_schwarz_information(x, x + 0.1 * noise, 0.5, 0.5)
    assert 0 <= alone < 0.05 < 0.2 < bound
    itself = fast.normalised_cauchy_schwarz_information(x, x, 0.5, 0.5)
    assert itself.item() == pytest.approx(1)


def test_conditional_divergence_is_zero_for_perfect_predictions_and_grows_with_error():
    x, noise = draw(100, 2, seed=14), draw(100, 1, seed=15)
    y = x[:, :1]
    losses = [fast.conditional_cauchy_schwarz_divergence(x, y, y + error * noise, 1.0, 0.5).item()
              for error in (0.0, 0.3, 1.0, 3.0)]  # fmt: skip
    assert losses[0] == pytest.approx(0, abs=1e-12)
    assert losses == sorted(losses)
    assert losses[3] > 0.1


def test_helpers_of_pairs():
    square = torch.arange(9.0).view(3, 3)
    assert without_diagonal(square).tolist() == [[1, 2], [3, 5], [6, 7]]
    exact = (X[:, None] - Y[None]).square().sum(-1)
    torch.testing.assert_close(squared_distances(X, Y), exact, rtol=0, atol=1e-12)
    assert gaussian_kernel(X, X, 1.0).diagonal().allclose(torch.ones(B, dtype=torch.float64))


ONE = X[:1], Y[:1]
REFUSED = {
    "one row": (lambda: fast.info_nce(*ONE), "at least 2"),
    "one row of two views": (lambda: fast.nt_xent(*ONE), "at least 2"),
    "one row decoupled": (lambda: fast.decoupled_contrastive(*ONE), "at least 2"),
    "one row of cacr": (lambda: fast.attraction_repulsion(VIEWS[:, :1]), "at least 2"),
    "one view": (lambda: fast.mv_info_nce(VIEWS[:1]), "at least 2"),
    "one view of dhel": (lambda: fast.mv_dhel(VIEWS[:1]), "at least 2"),
    "one view of mmcr": (lambda: fast.manifold_capacity(VIEWS[:1]), "at least 2"),
    "one modality": (lambda: fast.symile([X]), "at least 2"),
    "one row of barlow": (lambda: fast.barlow_twins(*ONE), "at least 2"),
    "one code": (
        lambda: fast.contrastive_mutual_information_machine(*LOGS[:, :1], X[:1]), "at least 2"
    ),
    "temperature": (lambda: fast.info_nce(X, Y, 0.0), "temperature must be above 0"),
    "temperature of views": (lambda: fast.mv_dhel(VIEWS, -1.0), "temperature must be above 0"),
    "scale": (lambda: fast.symile([X, Y], 0.0), "scale must be above 0"),
    "concentration": (
        lambda: fast.weighted_decoupled_contrastive(X, Y, 0.1, 0.0), "concentration must be above 0"
    ),
    "positive temperature": (
        lambda: fast.attraction_repulsion(VIEWS, 0.0), "positive_temperature must be above 0"
    ),
    "bounds": (lambda: fast.adaptive_temperature(*HEADS, 1.0, 0.5), "0 < lower < upper"),
    "bandwidth": (
        lambda: fast.cauchy_schwarz_information(X, Y, 0.0, 1.0), "bandwidth must be above 0"
    ),
    "no background": (
        lambda: fast.common_and_salient((X, Y), SALIENT, torch.ones(B, dtype=torch.bool)),
        "needs background",
    ),
    "no target": (
        lambda: fast.common_and_salient((X, Y), SALIENT, torch.zeros(B, dtype=torch.bool)),
        "at least 2",
    ),
    "beta": (lambda: fast.variational_bottleneck(LOGS[0], X, STDS, -1.0), "beta must be"),
    "cs beta": (lambda: fast.cauchy_schwarz_bottleneck(X, Y, X, Y, beta=-1.0), "beta must be"),
    "compression": (lambda: fast.manifold_capacity(VIEWS, -1.0), "compression must be"),
    "levels": (
        lambda: fast.hierarchical_bottleneck([X], [STDS], [LOGS[0]]), "1 levels of means"
    ),
    "prediction weight": (
        lambda: fast.hierarchical_bottleneck([X], [STDS], [LOGS[0]], [0.0], [1.0]),
        "weights of prediction",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_unusable_arguments_are_refused(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()
