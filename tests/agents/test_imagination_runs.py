"""Runs of agents with a world model: presets, exact resume, learning, the command, refusals."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from imagination_cases import plane, run_config

from agents.errors import UsageError
from agents.evaluation.rollouts import UniformPolicy, collect_rollouts
from agents.learners import ImaginationConfig
from agents.presets import PRESETS
from agents.training.checkpoint import MANIFEST
from agents.training.config_data import to_data, train_config_from_data
from agents.training.defaults import default_config
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.run import train
from agents.training.run_folder import latest_checkpoint
from agents.training.session import Session
from rl_info.rewards.task import TaskConfig

WITH_MODEL = [
    name for name, preset in PRESETS.items() if isinstance(preset.learner, ImaginationConfig)
]


@pytest.fixture
def _on_a_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("session", "periodic_evaluation"):
        monkeypatch.setattr(f"agents.training.{module}.make_world", plane)


def small(name: str) -> Any:
    """The preset, cut down to two updates of little."""
    config = default_config(name)
    learner = dataclasses.replace(
        config.learner, hidden_dim=16, batch_size=2, sequence_length=4, horizon=2
    )
    return dataclasses.replace(
        config, num_envs=2, warmup_steps=4, update_ratio=0.1, replay_capacity=60,
        max_episode_steps=12, learner=learner, num_threads=1,
    )  # fmt: skip


@pytest.mark.parametrize("name", WITH_MODEL)
def test_a_preset_learns_from_pixels_and_acts(name: str) -> None:
    config = small(name)
    assert train_config_from_data(json.loads(json.dumps(to_data(config)))) == config
    session = Session.build(config)
    session.start()
    policy = session.acting
    assert policy is not None
    before = session.learner.actor.net.flat.clone()  # type: ignore[attr-defined]
    for _ in range(8):
        session.collector.step(policy)
        for batch in session.batches.due(session.collector.env_steps):
            metrics = session.learner.update(batch.steps, batch.valid)
            assert all(value.isfinite() for value in metrics.values())
    session.close()
    assert session.batches.updates >= 2
    # Action repeat counts: 8 decisions of 2 worlds are 32 env steps.
    assert session.collector.env_steps == 32
    assert len(session.replay) >= 8 * 2
    assert not torch.equal(before, session.learner.actor.net.flat)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("_on_a_plane")
def test_interrupted_and_resumed_equals_straight_through(tmp_path: Path) -> None:
    config = run_config()
    train(tmp_path / "straight", config, PeriodicEvaluation)
    halves = tmp_path / "halves"
    train(halves, dataclasses.replace(config, total_steps=75), PeriodicEvaluation)
    train(halves, config, PeriodicEvaluation, resume=True)
    manifests = [
        (latest_checkpoint(folder) / MANIFEST).read_bytes()
        for folder in (tmp_path / "straight", halves)
    ]
    assert manifests[0] == manifests[1]


@pytest.mark.slow
@pytest.mark.usefixtures("_on_a_plane")
def test_it_learns_to_go_where_the_reward_is() -> None:
    # The world pays the first action; the policy finds out in imagination.
    config = run_config(
        rewards={"task": TaskConfig(discount=0.9)}, warmup_steps=150, update_ratio=0.25,
        replay_capacity=2000,
    )  # fmt: skip
    learner = dataclasses.replace(
        config.learner, batch_size=8, sequence_length=8, horizon=5, hidden_dim=32,
        model_learning_rate=3e-3, model_warm_up=10, actor_learning_rate=3e-3,
        critic_learning_rate=3e-3, diagnostics_interval=0,
    )  # fmt: skip
    session = Session.build(dataclasses.replace(config, learner=learner))
    session.start()
    assert session.acting is not None
    while session.batches.updates < 150:
        session.collector.step(session.acting)
        for batch in session.batches.due(session.collector.env_steps):
            metrics = session.learner.update(batch.steps)
    world, nothing = plane(config, 16, 99), torch.zeros(16, 0)
    learned = collect_rollouts(session.policy(world), world, nothing, seed=5).returns.mean()
    chance = collect_rollouts(UniformPolicy(2, 0), world, nothing, seed=5).returns.mean()
    assert learned > 6.0 > chance + 3.0, (learned, chance)
    assert metrics["reward/task"] > 0.5


QUICK = {
    "total-steps": 160, "warmup-steps": 60, "update-ratio": 0.02, "num-envs": 2,
    "max-episode-steps": 30, "replay-capacity": 200, "eval-interval": 160, "eval-episodes": 2,
    "log-interval": 80, "learner.batch-size": 2, "learner.sequence-length": 4,
    "learner.horizon": 2, "learner.hidden-dim": 16, "num-threads": 1,
}  # fmt: skip


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "agents.cli.main", *arguments]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(program, capture_output=True, text=True, env=env, check=False)


@pytest.mark.slow
def test_the_command_trains_and_evaluates_from_pixels(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    flags = [f"--{name}={value}" for name, value in QUICK.items()]
    result = command(
        "train", "visual-metra", *flags, "--no-eval-video", "--learner.world-model.size=tiny",
        "--learner.world-model.objective.no-forward", "--pixels.height=84", "--pixels.width=84",
        "--run-dir", str(folder),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    saved = json.loads((folder / "config.json").read_text())["config"]
    assert saved["learner"]["world_model"]["objective"]["forward"] is False
    assert saved["pixels"]["height"] == 84
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    names = set().union(*lines)
    assert {
        "model/kl", "model/information_obs_latent", "model/information_action_latent",
        "model/multiplier", "diagnostics/latent_entropy", "diagnostics/open_loop_kl",
        "return/metra", "value/empowerment", "eval/return",
    } <= names  # fmt: skip
    report = json.loads((folder / "evaluation" / "report.json").read_text())
    assert report["coverage"]["cells"] >= 1
    assert "success_within_m" in report["goal_reaching"]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    for agent, changes, message in (
        ("sac", {"observations": "pixels"}, "reads no pictures"),
        ("infopower", {"replay_capacity": 10**12}, "lower --replay-capacity"),
        ("infopower", {"replay_capacity": 40}, "never holds 16 of one world"),
        ("infopower", {"env": "gym/Pendulum-v1"}, "pixel"),
    ):
        config = dataclasses.replace(default_config(agent), **changes)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=message):
            train(tmp_path / "run", config, PeriodicEvaluation)
        assert not (tmp_path / "run").exists()
    pixels = dataclasses.replace(default_config("infopower").pixels, height=50, width=50)
    with pytest.raises(UsageError, match="images of 50×50 pixels are not supported"):
        train(
            tmp_path / "run",
            dataclasses.replace(default_config("infopower"), pixels=pixels),
            PeriodicEvaluation,
        )
