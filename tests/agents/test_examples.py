"""The examples of README, run as a reader would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rl_info.rewards import REWARDS, TaskConfig, TaskReward, register_reward

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "rewards"),
    [("new_reward", {"metra", "crouch"}), ("own_env", {"task"})],
)
def test_example_trains(name: str, rewards: set[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = subprocess.run(
        [
            *(sys.executable, str(EXAMPLES / f"{name}.py")),
            *("--total-steps", "3200", "--run-dir", str(folder)),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for reward in rewards:
        losses = [
            line[f"loss/critic/{reward}"] for line in lines if f"loss/critic/{reward}" in line
        ]
        assert len(set(losses)) > 1, "no update changed the loss"
    assert (folder / "evaluation" / "report.json").is_file()


def test_a_registered_reward_keeps_its_name() -> None:
    register_reward("task", TaskConfig, TaskReward, REWARDS["task"].description)
    with pytest.raises(ValueError, match="already registered as 'task'"):
        register_reward("task", TaskConfig, TaskReward, "another")


def test_readme_shows_the_example_as_it_is() -> None:
    readme = (EXAMPLES.parent / "README.md").read_text()
    assert (EXAMPLES / "new_reward.py").read_text().strip() in readme
