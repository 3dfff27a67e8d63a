"""Agents that cannot work are refused before anything is written, with the reason and the fix."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from test_cli_main import command, refused_training

from agents.training.assembly import build_learner
from agents.training.defaults import default_config
from rl_info.rewards import REWARDS
from rl_info.rewards.base import RewardContext
from rl_info.skills import SkillSpec

NO_WEIGHTS = [f"--rewards.{name}.weight=0" for name in ("lsd", "reach", "safety")]


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (
            ["slim", "--env", "dmc/finger-spin"],
            [
                "dmc/finger-spin has the signals position, object_position;",
                "reward 'reach' needs 'gripper_object_distance'; "
                "the reward 'safety' needs 'violation'",
                "choose another --env: tabletop/explore, tabletop/lift, tabletop/push",
            ],
        ),
        (
            ["lsd", "--env", "dmc/fish-upright", "--rewards.lsd.input", "no_such_signal"],
            ["'lsd' needs 'no_such_signal'", "no native task has 'no_such_signal'"],
        ),
        (["sac", "--rewards.task.weight=-1"], ["weight of TaskConfig", "got -1.0"]),
        (["sac", "--rewards.task.weight", "nan"], ["weight of TaskConfig", "got nan"]),
        (["sac", "--rewards.task.weight", "inf"], ["weight of TaskConfig", "got inf"]),
        (["sac", "--rewards.task.weight", "0"], ["a weight above 0 is needed"]),
        (["slim", *NO_WEIGHTS], ["a weight above 0 is needed"]),
        (["slim-ppo", *NO_WEIGHTS], ["a weight above 0 is needed"]),
        (["metra", "--skill.dim", "0"], ["discrete skill needs dim at least 2, got dim=0"]),
        (["slim", "--skill.dim", "0"], ["continuous skill needs dim at least 1, got dim=0"]),
        (["diayn", "--skill.dim", "1"], ["discrete skill needs dim at least 2, got dim=1"]),
        (["smm", "--skill.kind", "continuous"], ["discrete or none, not with kind 'continuous'"]),
        (["aps", "--skill.kind", "discrete"], ["kind continuous, not with kind 'discrete'"]),
        (
            ["metra", "--skill.kind", "none", "--skill.dim", "0"],
            ["continuous or discrete, not with kind 'none'"],
        ),
    ],
)
def test_an_agent_that_cannot_work_exits_2_and_leaves_nothing(
    words: list[str],
    messages: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = refused_training(words, tmp_path, capsys)
    for message in messages:
        assert message in shown


def test_the_command_itself_refuses_without_a_traceback() -> None:
    done = command("train", "slim", "--env", "dmc/cheetah-run")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "needs 'object_position'" in line
    assert "tabletop/explore" in line


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize(
    "skill", [SkillSpec(), SkillSpec("discrete", 4), SkillSpec("continuous", 2)]
)
def test_every_reward_works_with_a_skill_or_says_which_it_needs(
    name: str, skill: SkillSpec
) -> None:
    entry = REWARDS[name]
    signals = {"violation": 1, "gripper_object_distance": 1}
    config = dataclasses.replace(default_config("sac"), rewards={name: entry.config()}, skill=skill)
    context = RewardContext(3, 2, skill, signals)
    if skill.kind in getattr(entry.module, "skill_kinds", ()):
        assert list(build_learner(config, context).rewards) == [name]
    else:
        with pytest.raises(ValueError, match=f"not with kind '{skill.kind}'"):
            build_learner(config, context)
