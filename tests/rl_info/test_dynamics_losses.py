"""Losses of the world model against slow, obvious references in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor
from world_models import seeded, vector_batch, world_model

from rl_info.dynamics import balanced_kl
from rl_info.dynamics.heads import TwoHotHead
from rl_info.dynamics.representation.bisimulation import BisimulationConfig, BisimulationObjective
from rl_info.dynamics.representation.critic import (
    BilinearCritic,
    nce_information,
    nwj_information,
)
from rl_info.dynamics.representation.dual import LogMultiplier
from rl_info.dynamics.representation.infopower import InfoPowerConfig
from rl_info.dynamics.representation.mudreamer import replayed_returns
from rl_info.nn.laprop import LaProp
from rl_info.nn.symlog import SymlogTwoHot, symexp, symlog

MIX = 0.01


def logits(seed: int, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def slow_kl(p_logits: Tensor, q_logits: Tensor) -> float:
    total = 0.0
    for p_row, q_row in zip(p_logits, q_logits, strict=True):
        p = [(1 - MIX) * v / p_row.exp().sum() + MIX / len(p_row) for v in p_row.exp()]
        q = [(1 - MIX) * v / q_row.exp().sum() + MIX / len(q_row) for v in q_row.exp()]
        total += sum(float(a * math.log(a / b)) for a, b in zip(p, q, strict=True))
    return total


def test_balanced_kl_values_and_gradients() -> None:
    posterior = logits(0, 4, 5, 3, 4).requires_grad_()
    prior = logits(1, 4, 5, 3, 4).requires_grad_()
    kl = balanced_kl(posterior, prior, 1.0, MIX)
    for b in range(4):
        for t in range(5):
            expected = slow_kl(posterior[b, t].detach(), prior[b, t].detach())
            assert kl.value[b, t].item() == pytest.approx(expected, rel=1e-12)
            assert kl.dynamics[b, t].item() == pytest.approx(max(expected, 1.0), rel=1e-12)
            assert kl.representation[b, t].item() == pytest.approx(max(expected, 1.0), rel=1e-12)
    free = kl.value <= 1.0
    assert free.any()
    assert not free.all()
    for part, moved, still in (
        (kl.dynamics, prior, posterior),
        (kl.representation, posterior, prior),
    ):
        slope, none = torch.autograd.grad(
            part.sum(), [moved, still], allow_unused=True, retain_graph=True
        )
        assert none is None
        assert torch.equal(slope.flatten(2).abs().sum(-1) == 0, free)


def test_kl_gradient_equals_finite_differences() -> None:
    posterior, prior = logits(2, 1, 1, 2, 3, scale=2.0), logits(3, 1, 1, 2, 3, scale=2.0)

    def both(p: Tensor, q: Tensor) -> Tensor:
        return balanced_kl(p, q, 0.0, MIX).representation

    step, slope = 1e-6, torch.zeros_like(posterior)
    for index in np.ndindex(*posterior.shape):
        above, below = posterior.clone(), posterior.clone()
        above[index] += step
        below[index] -= step
        slope[index] = (both(above, prior) - both(below, prior)).item() / (2 * step)
    leaf = posterior.clone().requires_grad_()
    (found,) = torch.autograd.grad(both(leaf, prior).sum(), leaf)
    torch.testing.assert_close(found, slope, rtol=1e-6, atol=1e-8)


def slow_nwj(scores: Tensor) -> float:
    rows = range(len(scores))
    joint = [float(scores[i, i]) for i in rows]
    product = [math.exp(float(scores[i, j])) for i in rows for j in rows if i != j]
    return sum(joint) / len(joint) + 1 - sum(product) / len(product)


def slow_nce(scores: Tensor) -> float:
    rows = range(len(scores))
    total = 0.0
    for i in rows:
        mean = sum(math.exp(float(scores[i, j])) for j in rows) / len(scores)
        total += float(scores[i, i]) - math.log(mean)
    return total / len(scores)


def test_bounds_equal_their_slow_sums() -> None:
    scores = logits(4, 9, 9)
    assert nwj_information(scores).item() == pytest.approx(slow_nwj(scores), rel=1e-12)
    assert nce_information(scores).item() == pytest.approx(slow_nce(scores), rel=1e-12)


@pytest.mark.parametrize(("bound", "slow"), [("nwj", slow_nwj), ("nce", slow_nce)])
def test_negatives_of_infopower_are_over_time_and_batch(bound: str, slow) -> None:
    model = world_model("infopower", InfoPowerConfig(bound=bound))
    batch = vector_batch(3, 4)
    observed = model.observe(batch, generator=seeded())
    _, metrics = model.objective.loss(observed)
    critic = model.objective.critic
    places = [(b, t) for b in range(3) for t in range(4)]
    scores = torch.empty(12, 12)
    for i, (b, t) in enumerate(places):
        for j, (c, s) in enumerate(places):
            embed = observed.embed[b, t][None]
            feature = observed.posterior.feature[c, s][None]
            scores[i, j] = critic(embed, feature).detach()
    found = metrics["information_obs_latent"].item()
    assert found == pytest.approx(slow(scores.double()), abs=1e-5)


def test_second_mean_of_nwj_is_under_the_product_of_marginals() -> None:
    """With the true log ratio NWJ is I = −½ ln(1 − ρ²); the misprint under the joint is not."""
    rho, count = 0.8, 2000
    x = torch.randn(count, generator=seeded(5), dtype=torch.float64)
    noise = torch.randn(count, generator=seeded(6), dtype=torch.float64)
    y = rho * x + math.sqrt(1 - rho**2) * noise
    quadratic = (rho**2) * (x[:, None] ** 2 + y[None] ** 2) - 2 * rho * x[:, None] * y[None]
    scores = -0.5 * math.log(1 - rho**2) - quadratic / (2 * (1 - rho**2))
    truth = -0.5 * math.log(1 - rho**2)
    assert nwj_information(scores).item() == pytest.approx(truth, abs=0.06)
    under_joint = scores.diagonal().mean() + 1 - scores.diagonal().exp().mean()
    assert abs(under_joint.item() - truth) > 0.5


def test_true_pairs_do_not_enter_the_second_mean() -> None:
    scores = logits(7, 6, 6)
    shifted = scores + 3.0 * torch.eye(6, dtype=torch.float64)
    difference = nwj_information(shifted) - nwj_information(scores)
    assert difference.item() == pytest.approx(3.0, rel=1e-12)


def test_critic_scores_are_bounded_at_the_start() -> None:
    critic = BilinearCritic(4, 7, 16, seeded())
    x = 1e3 * torch.randn(20, 4, generator=seeded(1))
    y = 1e3 * torch.randn(20, 7, generator=seeded(2))
    assert critic(x, y).abs().max() <= math.sqrt(16) + 1e-4


def test_multiplier_descends_the_dual() -> None:
    multiplier = LogMultiplier(0.5, 0.01)
    expected = 0.5
    for slack in (-3.0, -1.0, 2.0, 0.0):
        multiplier.step(torch.tensor(slack))
        expected *= math.exp(-0.01 * slack)
        assert multiplier.value.item() == pytest.approx(expected, rel=1e-6)
    for _ in range(50):
        multiplier.step(torch.tensor(-1e4))
    assert multiplier.value.item() == pytest.approx(math.exp(10.0))
    with pytest.raises(ValueError, match="above 0"):
        LogMultiplier(0.0, 1e-4)


def test_infopower_steps_its_multiplier_by_the_slack_of_its_constraint() -> None:
    config = InfoPowerConfig(least=2.0, multiplier_rate=0.1)
    model = world_model("infopower", config)
    _, metrics, _ = model.loss(vector_batch(4, 6), generator=seeded())
    slack = -metrics["kl"] + metrics["information_action_latent"] - metrics["loss_reward"] - 2.0
    assert metrics["constraint_slack"].item() == pytest.approx(slack.item(), rel=1e-5)
    model.after_update(metrics)
    assert model.objective.multiplier.value.item() == pytest.approx(
        math.exp(-0.1 * slack.item()), rel=1e-5
    )
    off = world_model("infopower", InfoPowerConfig(constraint=False))
    off.after_update(metrics)
    assert off.objective.multiplier.value.item() == 1.0


def test_replayed_returns_equal_their_sum() -> None:
    discount, trace, steps = 0.9, 0.7, 6
    values, reward = logits(8, 2, steps), logits(9, 2, steps)
    terminated = torch.zeros(2, steps, dtype=torch.bool)
    is_first = torch.zeros(2, steps, dtype=torch.bool)
    terminated[0, 3] = is_first[0, 4] = True
    found = replayed_returns(values, reward, terminated, is_first, discount, trace)

    def slow(b: int, t: int) -> float:
        if t == steps - 1:
            return float(values[b, t])
        if is_first[b, t + 1]:
            return float(values[b, t])
        if terminated[b, t + 1]:
            return float(reward[b, t + 1])
        mixed = (1 - trace) * float(values[b, t + 1]) + trace * slow(b, t + 1)
        return float(reward[b, t + 1]) + discount * mixed

    for b in range(2):
        for t in range(steps - 1):
            assert found[b, t].item() == pytest.approx(slow(b, t), rel=1e-12)


def test_bisimulation_target_is_a_wasserstein_distance() -> None:
    """Σ_s ‖π_s − π'_s‖₁ is the optimal transport cost between products of one-hots under L1."""
    generator = np.random.default_rng(0)
    p, q = generator.dirichlet(np.ones(3), size=(2, 2))
    joint_p, joint_q = (np.outer(x[0], x[1]).ravel() for x in (p, q))
    places = [np.concatenate([np.eye(3)[i], np.eye(3)[j]]) for i in range(3) for j in range(3)]
    cost = np.abs(np.array(places)[:, None] - np.array(places)[None]).sum(-1)
    equal = np.vstack([np.kron(np.eye(9), np.ones(9)), np.kron(np.ones(9), np.eye(9))])
    found = linprog(cost.ravel(), A_eq=equal, b_eq=np.concatenate([joint_p, joint_q]))
    objective = BisimulationObjective.__new__(BisimulationObjective)
    object.__setattr__(objective, "config", BisimulationConfig(discount=1.0))
    following = torch.from_numpy(np.stack([p.ravel(), q.ravel()]))
    one, other = torch.tensor([0]), torch.tensor([1])
    reward = torch.tensor([0.3, -0.4], dtype=torch.float64)
    target = objective._target(reward, following, one, other)
    assert target.item() == pytest.approx(0.7 + found.fun, abs=1e-8)


def test_two_hot_means_what_it_was_taught() -> None:
    head = SymlogTwoHot(41)
    values = torch.tensor([-1e4, -3.7, 0.0, 0.2, 9.9, 1e5])
    bins = head.bins.double()
    for value in values.tolist():
        low = max(i for i in range(40) if bins[i] <= value)
        share = (value - float(bins[low])) / float(bins[low + 1] - bins[low])
        target = torch.zeros(41, dtype=torch.float64)
        target[low], target[low + 1] = 1 - share, share
        row = logits(10, 41)
        expected = (target * row.log_softmax(0)).sum()
        found = head.log_prob(row[None].float(), torch.tensor([value]))
        assert found.item() == pytest.approx(expected.item(), rel=1e-4)
        perfect = target.clamp_min(1e-30).log()[None].float()
        assert head.mean(perfect).item() == pytest.approx(value, rel=1e-4, abs=1e-4)
    assert head.mean(torch.zeros(1, 41)).item() == 0.0
    torch.testing.assert_close(symexp(symlog(values)), values, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="odd"):
        SymlogTwoHot(40)


def test_a_new_head_predicts_zero() -> None:
    head = TwoHotHead(6, 8, 1, seeded())
    assert torch.equal(head(torch.randn(5, 6, generator=seeded(1))), torch.zeros(5))


def test_laprop_equals_its_formula_in_both_ways() -> None:
    start = torch.randn(7, 3, generator=seeded(), dtype=torch.float64)
    rate, beta1, beta2, clip, warm_up = 0.1, 0.9, 0.99, 0.3, 3
    fast = torch.nn.Parameter(start.float())
    plain = torch.nn.Parameter(start.clone())
    settings = {"learning_rate": rate, "betas": (beta1, beta2), "clip": clip, "warm_up": warm_up}
    optimisers = [LaProp([fast], **settings), LaProp([plain], **settings)]
    value, first, second = start.clone(), torch.zeros(7, 3), torch.zeros(7, 3)
    for step in range(1, 7):
        gradient = torch.randn(7, 3, generator=seeded(step), dtype=torch.float64)
        fast.grad, plain.grad = gradient.float(), gradient.clone()
        for optimiser in optimisers:
            optimiser.step()
        slope = gradient * min(1.0, clip * float(value.norm()) / float(gradient.norm()))
        second = beta2 * second + (1 - beta2) * slope**2
        scaled = slope / (second / (1 - beta2**step)).sqrt()
        now = rate * min(1.0, step / warm_up)
        first = beta1 * first + (1 - beta1) * now * scaled
        value = value - first / (1 - beta1**step)
        torch.testing.assert_close(plain.detach(), value, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(fast.detach(), value.float(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="learning rate"):
        LaProp([fast], learning_rate=0.0)
