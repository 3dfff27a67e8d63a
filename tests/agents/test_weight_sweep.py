"""The sweep over commanded weights: its grid, its measures, its picture, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from test_resume import NoEvaluation, small

from agents.cli.main import main
from agents.evaluation.figures import RunLabel
from agents.evaluation.load import load_subject
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.safety import summarise_safety
from agents.evaluation.skill_episodes import collect_skill_episodes
from agents.evaluation.sweep_measures import measure, measures_of
from agents.evaluation.weight_sweep import SWEEP_FIGURE, SWEEP_REPORT, weight_grids
from agents.evaluation.weight_sweep_figure import weight_sweep_figure
from agents.training.run import train
from agents.training.weight_commands import WeightCommands
from rl_info.skills import SkillSpec

SKILLS = SkillSpec("continuous", 2)


def rollouts(rewards: np.ndarray, lengths: list[int], **signals: np.ndarray) -> Rollouts:
    count, steps = rewards.shape
    return Rollouts(
        np.zeros((count, 2), np.float32), np.zeros((count, steps + 1, 0), np.float32), signals,
        rewards, np.array(lengths),
    )  # fmt: skip


def test_the_grid_is_even_by_ratio_and_holds_the_others() -> None:
    commands = WeightCommands({"metra": 1.0, "off": 0.0, "task": 0.5}, (0.25, 4.0))
    grids = weight_grids(commands, dict(commands.configured), 3)
    assert list(grids) == ["metra", "task"]
    assert [each["task"] for each in grids["task"]] == pytest.approx([0.125, 0.5, 2.0])
    assert all(each["metra"] == 1.0 and each["off"] == 0.0 for each in grids["task"])
    # A held weight beside the grid is a point of the curve too.
    grids = weight_grids(commands, {"metra": 3.0, "off": 0.0, "task": 0.5}, 2)
    assert [each["metra"] for each in grids["metra"]] == pytest.approx([0.25, 3.0, 4.0])
    assert all(each["metra"] == 3.0 for each in grids["task"])


def test_measures_of_hand_made_episodes() -> None:
    # Two rounds of two episodes: both objects to one cell, then to two.
    centers = np.zeros((4, 3, 3))
    centers[:, -1, 0] = [0.5, 0.5, 0.5, -0.5]
    distance = np.full((4, 3, 1), 9.0)
    distance[:, 1:, 0] = [[1.0, 9.0], [2.0, 4.0], [1.0, 1.0], [1.0, 1.0]]
    violation = np.zeros((4, 3, 1))
    violation[1, 2] = 1.0
    episodes = rollouts(
        np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), [1, 2, 2, 2],
        object_position=centers, gripper_object_distance=distance, violation=violation,
        position=centers,
    )  # fmt: skip
    row = measure(episodes, SKILLS, rounds=2, cell_size=0.1, seed=0)
    assert row["objects"]["displacement_cells_of_a_round"]["value"] == 1.5
    assert row["objects"]["displacement_cells_of_a_round"]["count"] == 2
    assert row["objects"]["displacement_cells"] == 2
    assert row["objects"]["displacement_m"]["value"] == pytest.approx(0.5)
    # The first episode ends after one step.
    assert row["gripper_object_distance_m"]["value"] == pytest.approx(11.0 / 7.0)
    assert row["safety"]["violations_per_1000_steps"]["value"] == pytest.approx(1000.0 / 7.0)
    assert row["return"]["value"] == 1.75
    assert "coverage" not in row


def test_without_objects_the_cells_that_are_visited_count() -> None:
    path = np.zeros((4, 3, 2))
    path[:2, 1:, 0] = [[1.5, 2.5], [1.5, 1.5]]
    row = measure(rollouts(np.zeros((4, 2)), [2] * 4, position=path), SKILLS, 2, 1.0, 0)
    assert row["coverage"]["cells_of_a_round"]["value"] == 2.0
    assert set(row) == {"return", "coverage"}
    assert [each.path for each in measures_of([row])] == [("coverage", "cells_of_a_round")]
    # Where there is nothing else, a return of 0 is shown.
    assert [each.path for each in measures_of([{"return": row["return"]}])] == [("return",)]


def test_the_picture_has_a_column_for_each_reward_and_a_row_for_each_measure() -> None:
    def figure(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.5, "high": value + 1.0}

    def row(weight: float, value: float) -> dict[str, Any]:
        coverage = {"cells_of_a_round": figure(10 * value)}
        return {"weight": weight, "episodes": 8, "return": figure(value), "coverage": coverage}

    report = {
        "held": {"metra": 1.0, "task": 0.5},
        "settings": {"rounds": 2, "cell_size_m": 1.0},
        "sweeps": {
            "metra": [row(0.5, 1.0), row(1.0, 2.0)],
            "task": [row(0.25, 0.0), row(0.5, 2.0), row(1.0, 4.0)],
        },
    }
    axes = weight_sweep_figure(report, RunLabel("metra", "test/plane", 100)).axes
    assert len(axes) == 4
    coverage, returns = axes[1], axes[3]
    assert list(coverage.containers[0][0].get_ydata()) == [0.0, 20.0, 40.0]
    assert list(returns.containers[0][0].get_xdata()) == [0.25, 0.5, 1.0]
    segments = returns.containers[0][2][0].get_segments()
    np.testing.assert_allclose(segments[2], [[1.0, 3.5], [1.0, 5.0]])
    assert returns.get_xlabel() == "weight of task"
    assert returns.get_ylim()[0] < 0.0


def test_a_run_is_swept_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    config = small(
        "slim", env="tabletop/explore", commandable_weights=True, max_episode_steps=10,
        total_steps=500, skill=SkillSpec("discrete", 2),
    )  # fmt: skip
    train(folder, config, NoEvaluation)
    words = ["--sweep-weights", "--sweep-points", "2", "--episodes-per-skill", "8"]
    assert main(["evaluate", str(folder), *words, "--weights", "reach", "9"]) == 0
    shown = capsys.readouterr()
    where = folder / "evaluation" / "reach=9"
    assert sorted(path.name for path in where.iterdir()) == [SWEEP_REPORT, SWEEP_FIGURE]
    assert str(where / SWEEP_FIGURE) in shown.out
    assert "6/6" in shown.err
    report = json.loads((where / SWEEP_REPORT).read_text())
    # Beyond the range of training, the policy is told the nearest weight that it knows.
    assert report["held"] == {"lsd": 1.0, "reach": 1.0, "safety": 0.5}
    weights = {name: [row["weight"] for row in rows] for name, rows in report["sweeps"].items()}
    assert weights == {
        "lsd": [0.25, 1.0, 4.0], "reach": [0.0625, 1.0], "safety": [0.125, 0.5, 2.0],
    }  # fmt: skip
    row = report["sweeps"]["safety"][2]
    assert row["weights"] == {"lsd": 1.0, "reach": 1.0, "safety": 2.0}
    subject = load_subject(folder, None, row["weights"])
    episodes = collect_skill_episodes(subject, 8, seed=0)
    assert row["safety"] == summarise_safety(episodes, 0)
    assert row["episodes"] == len(episodes.lengths) == 16
    distances = [row["gripper_object_distance_m"]["value"] for row in report["sweeps"]["safety"]]
    assert len(set(distances)) == 3
    assert f"safety 2  {'':8}" in shown.out
    assert matplotlib.image.imread(where / SWEEP_FIGURE).std() > 0.05


def test_a_run_with_fixed_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    train(folder, small(total_steps=400), NoEvaluation)
    assert main(["evaluate", str(folder), "--sweep-weights"]) == 2
    assert "train with --commandable-weights" in capsys.readouterr().err
    assert not (folder / "evaluation").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sweep-points", "1"], "--sweep-points 1"),
        (["--episodes-per-skill", "0"], "--episodes-per-skill 8 or more"),
    ],
)
def test_settings_of_no_sweep_are_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path), "--sweep-weights", *words]) == 2
    assert message in capsys.readouterr().err
