"""How skills are drawn, spread, turned into directions and found again."""

from __future__ import annotations

import pytest
import torch

from rl_info.skills import SkillSpec

DISCRETE, SPHERE = SkillSpec("discrete", 5), SkillSpec("continuous", 3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("kind", "dim"), [("none", 1), ("discrete", 1), ("continuous", 0)])
def test_a_dimension_that_does_not_fit_the_kind_is_refused(kind, dim):
    with pytest.raises(ValueError, match=f"a {kind} skill needs dim"):
        SkillSpec(kind, dim)


def test_discrete_skills_are_uniform_one_hot():
    skills = DISCRETE.sample(10_000, generator())
    assert torch.equal(skills.sum(-1), torch.ones(10_000))
    assert set(skills.unique().tolist()) == {0.0, 1.0}
    # Standard deviation of a mean of 10,000 draws with p = .2 is .004.
    assert (skills.mean(0) - 0.2).abs().max() < 0.02


def test_continuous_skills_are_uniform_on_the_sphere():
    skills = SPHERE.sample(10_000, generator())
    torch.testing.assert_close(skills.norm(dim=-1), torch.ones(10_000))
    assert skills.mean(0).abs().max() < 0.03
    assert (skills.T @ skills / 10_000 - torch.eye(3) / 3).abs().max() < 0.02


def test_no_skill_has_width_zero():
    assert SkillSpec().sample(4, generator()).shape == (4, 0)


def test_spread_covers_the_skill_space_evenly():
    assert torch.equal(DISCRETE.spread(12, generator()).sum(0), torch.tensor([3.0, 3, 2, 2, 2]))
    circle = SkillSpec("continuous", 2).spread(8, generator())
    torch.testing.assert_close(circle.norm(dim=-1), torch.ones(8))
    gaps = (circle - circle.roll(1, 0)).norm(dim=-1)
    torch.testing.assert_close(gaps, gaps[:1].expand(8))
    assert SkillSpec("continuous", 1).spread(4, generator()).flatten().tolist() == [1, -1, 1, -1]
    assert SPHERE.spread(7, generator()).shape == (7, 3)


def test_discrete_directions_are_centred_and_nearest_inverts_them():
    skills = torch.eye(5)
    directions = DISCRETE.direction(skills)
    assert torch.allclose(directions.sum(0), torch.zeros(5), atol=1e-6)
    torch.testing.assert_close(directions[0], torch.tensor([1.0, -0.25, -0.25, -0.25, -0.25]))
    assert torch.equal(DISCRETE.nearest(directions * 0.1), skills)


def test_continuous_nearest_is_the_unit_displacement():
    displacement = torch.tensor([[3.0, 0.0, 4.0]])
    torch.testing.assert_close(SPHERE.nearest(displacement), torch.tensor([[0.6, 0.0, 0.8]]))
    assert torch.equal(SPHERE.direction(displacement), displacement)
