"""MPPI and CEM where the optimum is known: a linear model with quadratic costs, and a table."""

from __future__ import annotations

import math

import pytest
import torch

from agents.planning import PLANNERS, PlannerConfig, cem, mppi
from agents.planning.planners import expected_cost
from agents.planning.proposals import (
    CategoricalProposal,
    GaussianProposal,
    on_sphere,
    start_proposal,
)
from rl_info.skills import SkillSpec

LENGTH, SAMPLES, ITERATIONS = 5, 400, 20
ADVANCE = torch.tensor([[1.0, 0.3], [-0.2, 0.9]])
PUSH = torch.tensor([[0.5, 0.1], [0.0, 0.7]])
EFFORT = 0.1
STATES = torch.tensor([[2.0, -1.0], [-1.5, 0.5], [0.0, 3.0]])


class Linear:
    """x' = A x + B u; counts the sequences that it was asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def predict(self, state: torch.Tensor, skills: torch.Tensor) -> torch.Tensor:
        self.asked += skills.shape[1]
        x = state[:, None].expand(-1, skills.shape[1], -1)
        found = []
        for index in range(skills.shape[2]):
            x = x @ ADVANCE.T + skills[:, :, index] @ PUSH.T
            found.append(x)
        return torch.stack(found, dim=2)[None]


def quadratic(places: torch.Tensor, skills: torch.Tensor) -> torch.Tensor:
    """Σ |x|² + .1 |u|²."""
    return places.square().sum(dim=(-1, -2)) + EFFORT * skills.square().sum(dim=(-1, -2))


def optimum(state: torch.Tensor) -> torch.Tensor:
    """The sequence (H, Z) of least cost, by least squares over all controls at once."""
    blocks, free, power = [], [], torch.eye(2)
    for step in range(LENGTH):
        powers = [torch.linalg.matrix_power(ADVANCE, step - index) for index in range(step + 1)]
        row = [each @ PUSH for each in powers] + [torch.zeros(2, 2)] * (LENGTH - 1 - step)
        blocks.append(torch.cat(row, dim=1))
        power = ADVANCE @ power
        free.append(power @ state)
    effort = math.sqrt(EFFORT) * torch.eye(2 * LENGTH)
    left = torch.cat([torch.cat(blocks), effort])
    right = torch.cat([-torch.cat(free), torch.zeros(2 * LENGTH)])
    return torch.linalg.lstsq(left, right[:, None]).solution.reshape(LENGTH, 2)


def costs_of(sequence: torch.Tensor) -> torch.Tensor:
    return expected_cost(Linear(), quadratic, STATES, sequence[:, None])[:, 0]


@pytest.mark.parametrize(
    ("name", "std", "tolerance"),
    # With a fixed spread MPPI is an average of good samples, near the optimum and not at it.
    [("mppi", 0.5, 0.03), ("cem", 1.0, 0.01)],
)
def test_finds_the_optimum_of_a_linear_quadratic_problem(name, std, tolerance):
    model, generator = Linear(), torch.Generator().manual_seed(0)
    start = GaussianProposal.start(len(STATES), LENGTH, 2, std)
    config = PlannerConfig(samples=SAMPLES, iterations=ITERATIONS)
    found = PLANNERS[name](model, quadratic, STATES, start, config, generator)
    best = torch.stack([optimum(state) for state in STATES])
    # One more than the samples: the mode is judged as well.
    assert model.asked == SAMPLES * ITERATIONS + 1
    drawn = start.sample(SAMPLES * ITERATIONS + 1, generator)
    shooting = expected_cost(Linear(), quadratic, STATES, drawn).min(dim=1).values
    excess = costs_of(found.skills) / costs_of(best) - 1
    assert (excess >= -1e-4).all()
    assert (excess < tolerance).all()
    assert (shooting / costs_of(best) - 1 > 0.5).all()
    torch.testing.assert_close(found.cost, costs_of(found.skills))


@pytest.mark.parametrize("name", ["mppi", "cem"])
def test_equal_seeds_give_equal_plans(name):
    plans = []
    for seed in (3, 3, 4):
        generator = torch.Generator().manual_seed(seed)
        start = GaussianProposal.start(len(STATES), LENGTH, 2, std=1.0)
        config = PlannerConfig(samples=20, iterations=2)
        plans.append(PLANNERS[name](Linear(), quadratic, STATES, start, config, generator).skills)
    assert torch.equal(plans[0], plans[1])
    assert not torch.equal(plans[0], plans[2])


def test_mppi_weighs_samples_by_the_exponential_of_their_cost():
    # One control, cost = its value: the mean of the two samples under exp(−S/λ) is known.
    class Given(GaussianProposal):
        def sample(self, count, generator):
            return torch.tensor([[[[0.0]], [[2.0]]]])

    class Same:
        def predict(self, state, skills):
            return skills[None]

    start = Given(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), 1.0)
    config = PlannerConfig(samples=2, iterations=1, temperature=0.7)
    # The costs 0 and 2 have the standard deviation 1, so λ is 0.7.
    found = mppi(
        Same(), lambda places, skills: places.sum(dim=(-1, -2)), None, start, config,
        torch.Generator(),
    )  # fmt: skip
    weight = math.exp(-2 / 0.7)
    assert found.proposal.mode().item() == pytest.approx(2 * weight / (1 + weight), rel=1e-5)


def test_cem_fits_mean_and_spread_of_the_elite():
    class Given(GaussianProposal):
        def sample(self, count, generator):
            return torch.tensor([0.0, 1.0, 3.0, 7.0]).reshape(1, 4, 1, 1)

    class Same:
        def predict(self, state, skills):
            return skills[None]

    start = Given(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), 1.0)
    config = PlannerConfig(samples=4, iterations=1, elite_share=0.5)
    found = cem(
        Same(), lambda places, skills: -places.sum(dim=(-1, -2)), None, start, config,
        torch.Generator(),
    )  # fmt: skip
    assert found.proposal.mean.item() == pytest.approx(5.0)
    assert found.proposal.std.item() == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["mppi", "cem"])
def test_finds_the_best_sequence_of_discrete_skills(name):
    # Skills move along a ring of 7 by 0, 1 and 3; after four of them be at 5: 1+1+0+3 and others.
    moves = torch.tensor([0.0, 1.0, 3.0])

    class Ring:
        def predict(self, state, skills):
            return (state[:, None, None] + (skills @ moves).cumsum(dim=-1))[None, ..., None] % 7

    def miss(places, skills):
        effort = (skills @ moves).sum(dim=-1)
        return (places[..., -1, 0] - 5).abs() + 0.01 * effort

    states, generator = torch.tensor([0.0, 4.0, 6.0]), torch.Generator().manual_seed(0)
    start = start_proposal(SkillSpec("discrete", 3), 3, 4, 0.5)
    config = PlannerConfig(samples=100, iterations=6)
    found = PLANNERS[name](Ring(), miss, states, start, config, generator).skills
    chosen = (found @ moves).sum(dim=-1)
    # The least efforts that lead to 5, such as 1+1+3 from 0; a mode of independent skills would mix
    # sequences that differ in their order alone.
    assert chosen.tolist() == [5.0, 1.0, 6.0]


def test_the_mean_over_members_decides():
    class Two:
        def predict(self, state, skills):
            return torch.stack([skills + 1.0, skills - 3.0])

    def square(places, skills):
        return places.square().sum(dim=(-1, -2))

    found = expected_cost(Two(), square, None, torch.zeros(1, 1, 1, 1))
    assert found.item() == pytest.approx((1 + 9) / 2)


def test_a_cost_that_is_not_finite_is_reported():
    start = GaussianProposal.start(len(STATES), LENGTH, 2, std=1.0)
    with pytest.raises(FloatingPointError, match="not finite"):
        mppi(
            Linear(), lambda places, skills: quadratic(places, skills) * torch.nan, STATES, start,
            PlannerConfig(samples=4), torch.Generator(),
        )  # fmt: skip


def test_skills_drawn_from_nothing_are_uniform_on_the_sphere():
    start = start_proposal(SkillSpec("continuous", 2), 1, 1, std=0.5)
    drawn = start.sample(20_000, torch.Generator().manual_seed(0))[0, :, 0]
    torch.testing.assert_close(drawn.norm(dim=-1), torch.ones(20_000))
    angle = torch.atan2(drawn[:, 1], drawn[:, 0])
    counts = torch.histc(angle, 8, -math.pi, math.pi)
    # 2,500 a bin with a standard deviation of 47.
    assert (counts - 2_500).abs().max() < 220


def test_what_is_left_of_a_plan_comes_first_in_the_next():
    mean = torch.arange(6.0).reshape(1, 3, 2)
    shifted = GaussianProposal(mean, torch.full_like(mean, 0.1), 0.5, on_sphere).shift(3)
    assert shifted.mean.tolist() == [[[2.0, 3.0], [4.0, 5.0], [0.0, 0.0]]]
    assert (shifted.std == 0.5).all()
    chances = torch.tensor([[[1.0, 0.0], [0.2, 0.8]]])
    shorter = CategoricalProposal(chances).shift(1)
    torch.testing.assert_close(shorter.probabilities, torch.tensor([[[0.2, 0.8]]]))
    longer = CategoricalProposal(chances).shift(2).probabilities
    torch.testing.assert_close(longer, torch.tensor([[[0.2, 0.8], [0.5, 0.5]]]))


@pytest.mark.parametrize(
    "wrong", [{"samples": 0}, {"iterations": 0}, {"temperature": 0.0}, {"elite_share": 1.5}]
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PlannerConfig(**wrong)


def test_an_agent_without_skills_cannot_plan():
    with pytest.raises(ValueError, match="has none"):
        start_proposal(SkillSpec(), 1, 1, 0.5)
