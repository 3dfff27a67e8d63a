"""Choosing a skill where the best one is known, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plane_world import PlaneWorld
from test_resume import run, small

from agents.evaluation.rollouts import collect_rollouts
from agents.finetune.candidates import candidate_skills
from agents.finetune.choice import SkillChoice
from agents.finetune.collector import ChoosingCollector
from agents.finetune.config import FinetuneConfig
from agents.finetune.pretrained import Pretrained, follow
from agents.learners import SACConfig
from agents.training.replay import Replay
from agents.training.replay_layout import ReplayLayout
from agents.training.session import Session
from envs.seeding import spread_seeds
from rl_info.skills import SkillSpec


class FarWorld(PlaneWorld):
    """Pays 1 for each step to x > 8 and |y| < 3: steps of random directions do not come so far."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self.seeds = spread_seeds(seed, self.num_envs)
        return super().reset()

    def step(self, actions: Any) -> Any:
        x, y = (self.place + self.speed * actions).T
        there = (x > 8) & (np.abs(y) < 3)
        obs, _, terminated, truncated, info = super().step(actions)
        return obs, there.astype(np.float64), terminated, truncated, info


class SkillIsAction:
    """The policy that walks in the direction of its skill."""

    def act(self, obs: Any, skill: Any, deterministic: bool = False) -> Any:
        return skill.clone()

    def observe(self, obs: Any) -> None:
        pass


@pytest.mark.parametrize("num_envs", [3, 8, 20])
def test_the_best_skill_of_a_known_world_is_held(num_envs: int) -> None:
    """The world pays the first component of the action, which is the skill."""
    spec = SkillSpec("continuous", 2)
    skills = spec.spread(8, torch.Generator())[[3, 4, 5, 6, 7, 1, 0, 2]]
    world = EdgeWorld(num_envs)
    replay = Replay(ReplayLayout(2, 2, 2), num_envs, 100 * num_envs)
    choice = SkillChoice(skills, num_envs, trial_steps=6)
    collector = ChoosingCollector(world, replay, choice, seed=5)
    collector.reset(5)
    rounds = -(-8 // num_envs)
    for _ in range(rounds * 6):
        assert not choice.finished
        collector.step(SkillIsAction())
    assert choice.finished
    assert choice.best == 6
    assert torch.equal(choice.held, torch.tensor([1.0, 0.0]))
    assert collector.env_steps == choice.env_steps == choice.most_env_steps == rounds * 6 * num_envs
    for skill, returns in zip(skills[:, 0].tolist(), choice.returns, strict=True):
        np.testing.assert_allclose(returns, 6 * skill, atol=1e-5)
    assert sum(map(len, choice.returns)) == rounds * num_envs
    before = world.place.copy()
    assert np.abs(before).max() <= 0.1
    for _ in range(30):
        collector.step(SkillIsAction())
        assert torch.equal(choice.skills, torch.tensor([[1.0, 0.0]]).expand(num_envs, 2))


class EdgeWorld(FarWorld):
    """As the plane: it pays the first component of the action."""

    def step(self, actions: Any) -> Any:
        return PlaneWorld.step(self, actions)


def test_what_an_episode_earns_after_its_end_belongs_to_nobody() -> None:
    choice = SkillChoice(torch.eye(2), 2, trial_steps=3)
    one = np.ones(2)
    assert not choice.note(one, np.array([True, False]))
    assert not choice.note(one * 5, np.array([False, False]))
    assert choice.note(one, np.array([False, False]))
    choice.end_round(6)
    assert choice.returns == [[1.0], [7.0]]
    assert choice.best == 1


def test_a_round_ends_with_the_last_episode_of_it() -> None:
    choice = SkillChoice(torch.eye(2), 2, trial_steps=100)
    assert not choice.note(np.ones(2), np.array([True, False]))
    assert choice.note(np.ones(2), np.array([False, True]))


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        (SkillSpec("discrete", 5), 5),
        (SkillSpec("continuous", 1), 2),
        (SkillSpec("continuous", 3), 16),
    ],
)
def test_candidates_are_spread_over_the_skills(spec: SkillSpec, count: int) -> None:
    skills = candidate_skills(FinetuneConfig("run"), spec, seed=0)
    assert skills.shape == (count, spec.dim)
    assert len(skills.unique(dim=0)) == count
    assert torch.equal(candidate_skills(FinetuneConfig("run"), spec, seed=0), skills)


def test_one_skill_is_held_where_none_is_to_choose() -> None:
    discrete, plane = SkillSpec("discrete", 3), SkillSpec("continuous", 2)
    given = candidate_skills(FinetuneConfig("run", skill=(2.0,)), discrete, 0)
    assert given.tolist() == [[0.0, 0.0, 1.0]]
    given = candidate_skills(FinetuneConfig("run", skill=(-3.0, 4.0)), plane, 0)
    torch.testing.assert_close(given, torch.tensor([[-0.6, 0.8]]))
    random = [
        candidate_skills(FinetuneConfig("run", choose="random"), plane, seed) for seed in (0, 0, 1)
    ]
    assert torch.equal(random[0], random[1])
    assert not torch.equal(random[0], random[2])
    for skills in (given, random[0]):
        choice = SkillChoice(skills, 4, trial_steps=9)
        assert choice.finished
        assert choice.most_env_steps == 0
        assert torch.equal(choice.skills, skills.expand(4, 2))


@pytest.mark.parametrize(
    ("spec", "settings", "message"),
    [
        (SkillSpec("discrete", 3), {"skill": (3.0,)}, "one number from 0 to 2, got 3"),
        (SkillSpec("discrete", 3), {"skill": (0.5,)}, "one number from 0 to 2, got 0.5"),
        (SkillSpec("continuous", 2), {"skill": (1.0,)}, "must be 2 finite coordinates"),
        (SkillSpec("continuous", 2), {"skill": (0.0, 0.0)}, "not all 0, got 0 0"),
        (SkillSpec("continuous", 1), {"candidates": 3}, "only 2 skills"),
        (SkillSpec(), {"choose": "random"}, "no skills to choose from"),
    ],
)
def test_skills_that_there_are_not(spec: SkillSpec, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        candidate_skills(FinetuneConfig("run", **settings), spec, 0)


@pytest.fixture
def far_world(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], FarWorld]:
    def make(name: str, *, num_envs: int, seed: int, **options: Any) -> FarWorld:
        return FarWorld(num_envs, seed)

    monkeypatch.setattr("agents.training.assembly.envs.make_vec", make)
    return FarWorld


def learned_return(config: Any, pretrained: Pretrained | None) -> float:
    with closing(Session.build(config, None, pretrained)) as session:
        session.start()
        while session.collector.env_steps < config.total_steps:
            session.collector.step(session.learner)
            for batch in session.batches.due(session.collector.env_steps):
                session.learner.update(batch.steps, batch.valid)
        world = FarWorld(16)
        skills = torch.zeros(16, session.varied_skill.dim)
        return float(collect_rollouts(session.policy(world), world, skills, seed=9).returns.mean())


@pytest.mark.slow
def test_the_chosen_skill_earns_at_once_what_a_fresh_policy_does_not_find(
    far_world: Any, tmp_path: Path
) -> None:
    """Skills that cover the plane come to a reward that random actions do not come to.

    Not those of every seed, after so short a training: the mean over seeds counts.
    """
    learner = SACConfig(
        hidden_dim=32, batch_size=64, normalise_observations=True, initial_temperature=0.01,
        actor_learning_rate=2e-3, critic_learning_rate=2e-3, temperature_learning_rate=2e-3,
    )  # fmt: skip
    earned = []
    for seed in range(5):
        folder = tmp_path / str(seed)
        metra = small(
            "metra", skill=SkillSpec("continuous", 2), total_steps=2000, update_ratio=0.25,
            seed=seed, replay_capacity=4000, max_episode_steps=None, learner=learner,
            eval_interval=0,
        )  # fmt: skip
        run(folder, metra)
        # Two rounds of 8 skills for an episode of 20 steps each, then a first few updates.
        task = small(
            "sac", total_steps=328, update_ratio=0.5, max_episode_steps=None, warmup_steps=320,
            learner=SACConfig(hidden_dim=32, batch_size=64, normalise_observations=True), seed=seed,
        )  # fmt: skip
        finetune = FinetuneConfig(str(folder), trial_steps=None, actor_rest_steps=4)
        tuned = follow(task, finetune)
        assert learned_return(task, None) == 0
        earned.append(learned_return(tuned, Pretrained(tuned)))
    # At full speed, 12 of the 20 steps of an episode are there.
    assert sum(earned) / 5 > 2
