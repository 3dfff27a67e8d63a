"""Training over frozen skills: what counts, what is kept, what is shown, and that it learns."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hierarchy_cases import DirectionSkills, GoalWorld
from test_resume import manifest, run, small

from agents.cli.main import main
from agents.errors import UsageError
from agents.evaluation import EvaluationConfig, evaluate
from agents.evaluation.load import load_subject
from agents.evaluation.rollouts import collect_rollouts
from agents.evaluation.video import record_grid
from agents.hierarchy.build import policy_of_steps
from agents.hierarchy.config import HierarchyConfig
from agents.hierarchy.storage import SKILLS, skills_of_run
from agents.hierarchy.world import HierarchyWorld
from agents.learners import PPOConfig, SACConfig
from agents.training.errors import CorruptRunError
from agents.training.logger import RunLogger, read_metrics
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.session import Session
from rl_info.rewards.task import TaskConfig
from rl_info.skills import SkillSpec


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slim") / "run"
    run(folder, small("slim", env="tabletop/explore", total_steps=80, warmup_steps=40))
    return folder


def over(skills: Path, **changes: Any) -> Any:
    """SAC on the pushing task over `skills`, in episodes of 30 steps, decisions of 7."""
    config = HierarchyConfig(skills=str(skills), steps=7)
    return small(
        "sac", **{"env": "tabletop/push", "warmup_steps": 200, "hierarchy": config, **changes}
    )


PPO = {"learner": PPOConfig(hidden_dim=32, rollout_length=5), "warmup_steps": 0}


@pytest.mark.parametrize(
    "changes", [{}, PPO, {"hierarchy": {"sample": True}}], ids=["sac", "ppo", "sampled"]
)
def test_interrupted_and_resumed_equals_straight_through(
    slim: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = over(slim, total_steps=640, checkpoint_interval=320)
    hierarchy = dataclasses.replace(config.hierarchy, **changes.get("hierarchy", {}))
    config = dataclasses.replace(config, **{**changes, "hierarchy": hierarchy})
    run(tmp_path / "straight", config)
    halves = tmp_path / "halves"
    step = run(halves, dataclasses.replace(config, total_steps=320)).step
    assert 320 <= step < 320 + 8 * 7
    run(halves, config, resume=True)
    assert manifest(halves) == manifest(tmp_path / "straight")


def test_everything_counts_env_steps(slim: Path, tmp_path: Path) -> None:
    config = over(slim, total_steps=480, update_ratio=0.25)
    with closing(Session.build(config, skills_of_run(slim, torch.device("cpu")))) as session:
        session.start()
        taken = []
        while session.collector.env_steps < 480:
            before = session.collector.env_steps
            session.collector.step(session.learner)
            taken.append(session.collector.env_steps - before)
        # No box falls in so few steps: 30 env steps are decisions of 7, 7, 7, 7 and 2.
        assert taken == ([8 * 7] * 4 + [8 * 2]) * 2
        assert len(session.replay) == 8 * 10
        assert [episode.length for episode in session.collector.drain_episodes()] == [30] * 16
        assert sum(1 for _ in session.batches.due(480)) == (480 - 200) // 4
    outcome = run(tmp_path / "run", dataclasses.replace(config, total_steps=300))
    # 240 after the first episodes, then two decisions; a log at the first step past 200.
    assert outcome.step == 240 + 2 * 56
    assert [line["env_steps"] for line in read_metrics(tmp_path / "run")] == [224]


def test_discounts_are_per_env_step(slim: Path) -> None:
    config = over(slim, rewards={"task": TaskConfig(discount=0.9)})
    with closing(Session.build(config, skills_of_run(slim, torch.device("cpu")))) as session:
        assert session.learner.terms.discount.item() == pytest.approx(0.9**7)


def test_rollouts_of_ppo_hold_every_decision_once(slim: Path) -> None:
    config = over(slim, **PPO)
    with closing(Session.build(config, skills_of_run(slim, torch.device("cpu")))) as session:
        session.start()
        seen = []
        for decision in range(1, 21):
            session.collector.step(session.learner)
            due = list(session.batches.due(session.collector.env_steps))
            assert len(due) == (decision % 5 == 0)
            seen += [batch.steps.reward for batch in due]
        assert session.batches.updates == 4
        assert torch.stack(seen).shape == (4, 5 * 8)


def test_the_folder_stands_alone(slim: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(slim, source)
    folder = tmp_path / "run"
    config = over(source, total_steps=400)
    run(folder, config)
    shutil.rmtree(source)
    run(folder, dataclasses.replace(config, total_steps=800), resume=True)
    subject = load_subject(folder)
    assert subject.label.agent == "sac over skills of slim"
    quick = EvaluationConfig(rollouts=4, goals=0, episodes_per_skill=0, video=False)
    report = evaluate(subject, tmp_path / "evaluation", quick)
    assert report["episode_steps"]["value"] == 30
    assert set(report["success"]) == {"policy", "uniform_random_actions"}
    assert report["success"]["policy"]["at_any_step"]["count"] == 4
    policy = folder / SKILLS / "policy.safetensors"
    policy.write_bytes(policy.read_bytes()[:-1])
    for request in (
        lambda: load_subject(folder),
        lambda: run(folder, dataclasses.replace(config, total_steps=900), resume=True),
    ):
        with pytest.raises(CorruptRunError, match=r"skills/policy.safetensors is damaged"):
            request()


def test_what_does_not_fit_makes_no_folder(slim: Path, tmp_path: Path) -> None:
    for changes, message in (
        ({"env": "dmc/cheetah-run"}, "cannot act in dmc/cheetah-run: its observation lacks"),
        ({"hierarchy": HierarchyConfig(skills=str(tmp_path))}, "not a run folder"),
    ):
        with pytest.raises(UsageError, match=message):
            run(tmp_path / "run", over(slim, **changes))
    assert not (tmp_path / "run").exists()


class Wander:
    """A controller that turns with what it sees."""

    device = torch.device("cpu")

    def act(self, obs: Any, skill: Any, deterministic: bool = False) -> Any:
        return torch.stack([(5 * obs).sin().sum(-1), (7 * obs).cos().sum(-1)], dim=-1)


def test_an_evaluated_episode_is_the_one_that_decisions_make() -> None:
    task, same = GoalWorld(4, steps=20), GoalWorld(4, steps=20)
    policy = policy_of_steps(
        Wander(), DirectionSkills(same), HierarchyConfig(skills="x", steps=6), same
    )
    # Twice: the second call begins anew in the middle of a decision.
    for _ in range(2):
        rollouts = collect_rollouts(policy, same, torch.zeros(4, 0), seed=3)
    world = HierarchyWorld(task, DirectionSkills(task), 6, seed=3)
    obs, _ = world.reset()
    total = np.zeros(4)
    for _ in range(4):
        choice = Wander().act(torch.from_numpy(obs), None)
        obs, reward, _, truncated, info = world.step(choice.numpy())
        total += reward
    assert truncated.all()
    np.testing.assert_allclose(rollouts.returns, total, rtol=1e-12)
    np.testing.assert_array_equal(rollouts.obs[:, -1], info["final_obs"])
    assert rollouts.obs.shape == (4, 21, 2)
    turns = np.abs(np.diff(rollouts.obs, n=2, axis=1)).max(axis=-1) > 1e-4
    assert set(np.flatnonzero(turns.any(axis=0)).tolist()) == {5, 11, 17}


def test_videos_show_every_env_step() -> None:
    world = GoalWorld(2, steps=20)
    policy = policy_of_steps(
        Wander(), DirectionSkills(world), HierarchyConfig(skills="x", steps=10), world
    )
    pictures = record_grid(policy, world, torch.zeros(2, 0), SkillSpec(), seed=0, frames=20)
    assert len(pictures) == 20
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_evaluation_over_samples_repeats_itself_and_leaves_training_alone(
    slim: Path, tmp_path: Path
) -> None:
    config = over(slim, eval_episodes=4, eval_video=False)
    config = dataclasses.replace(
        config, hierarchy=dataclasses.replace(config.hierarchy, sample=True)
    )
    with closing(Session.build(config, skills_of_run(slim, torch.device("cpu")))) as session:
        session.start()
        before = session.world.state_dict()["noise"]
        with RunLogger(tmp_path) as logger, closing(PeriodicEvaluation(session)) as evaluation:
            first, second = (dict(evaluation(step, logger)) for step in (1, 2))
        assert first == second
        assert torch.equal(session.world.state_dict()["noise"], before)
    assert first["eval/length_steps"] == 30
    for moment in ("any", "last"):
        name = f"eval/success_at_{moment}_step"
        assert first[f"{name}_low"] <= first[name] <= first[f"{name}_high"]


def test_a_controller_learns_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the return of random choices, which is measured here as well."""
    monkeypatch.setattr(
        "agents.training.session.make_world", lambda config, count, seed: GoalWorld(count, seed)
    )
    learner = SACConfig(
        hidden_dim=32, batch_size=32, actor_learning_rate=2e-3, critic_learning_rate=2e-3
    )
    config = small(
        "sac", total_steps=4_000, replay_capacity=4_000, learner=learner,
        hierarchy=HierarchyConfig(skills="x", steps=5),
    )  # fmt: skip
    with closing(Session.build(config, DirectionSkills(GoalWorld(1)))) as session:
        random = returns_of(UniformChoice(), 5)
        session.start()
        while session.collector.env_steps < config.total_steps:
            session.collector.step(session.learner)
            for batch in session.batches.due(session.collector.env_steps):
                session.learner.update(batch.steps, batch.valid)
        learned = returns_of(session.learner, 5)
    straight = returns_of(Straight(), 5)
    # Walking straight to the goal is the best there is; the learner must come most of the way.
    assert learned.mean() > random.mean() + 0.9 * (straight.mean() - random.mean())


def returns_of(controller: Any, steps: int) -> np.ndarray:
    world = GoalWorld(64)
    skills = DirectionSkills(world)
    policy = policy_of_steps(controller, skills, HierarchyConfig(skills="x", steps=steps), world)
    return collect_rollouts(policy, world, torch.zeros(64, 0), seed=1000).returns


class UniformChoice:
    """A controller that chooses any skill."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)

    def act(self, obs: Any, skill: Any, deterministic: bool = False) -> Any:
        return torch.rand(len(obs), 2, generator=self.generator) * 2 - 1


class Straight:
    """A controller that walks towards the goal."""

    device = torch.device("cpu")

    def act(self, obs: Any, skill: Any, deterministic: bool = False) -> Any:
        return obs


def test_the_two_commands_of_the_readme(tmp_path: Path) -> None:
    """Train skills, train over them, delete their run, evaluate."""
    small_flags = [
        "--total-steps=240", "--warmup-steps=100", "--num-envs=4", "--max-episode-steps=12",
        "--learner.hidden-dim=16", "--learner.batch-size=16", "--num-threads=1",
        "--eval-interval=120", "--eval-episodes=4", "--no-eval-video", "--log-interval=60",
    ]  # fmt: skip

    def rl_info(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli.main", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    rl_info("train", "slim", "--env", "tabletop/explore", "--run-dir", "runs/slim", *small_flags)
    over_skills = ["--hierarchy.skills", "runs/slim", "--hierarchy.steps", "3"]
    shown = rl_info(
        "train", "sac", "--env", "tabletop/push", *over_skills, "--run-dir", "runs/push",
        *small_flags,
    )  # fmt: skip
    assert "sac over skills of slim on tabletop/push" in shown
    assert "success: " in shown
    metrics = read_metrics(tmp_path / "runs" / "push")
    assert sum("eval/success_at_any_step" in line for line in metrics) == 2
    shutil.rmtree(tmp_path / "runs" / "slim")
    (tmp_path / "runs" / "push" / "evaluation" / "report.json").unlink()
    quick = ["--no-video", "--rollouts", "4", "--episodes-per-skill", "0"]
    assert main(["evaluate", str(tmp_path / "runs" / "push"), *quick]) == 0
    report = json.loads((tmp_path / "runs" / "push" / "evaluation" / "report.json").read_text())
    assert report["success"]["policy"]["at_last_step"]["count"] == 4
