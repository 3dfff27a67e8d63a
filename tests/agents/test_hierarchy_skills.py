"""Skills taken from a run: the same policy, kept whole, and refused where it cannot act."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from test_resume import NoEvaluation, small

import envs
from agents.errors import UsageError
from agents.evaluation.load import load_subject
from agents.hierarchy.config import HierarchyConfig
from agents.hierarchy.interface import Interface
from agents.hierarchy.storage import load_skills, save_skills, skills_of_run
from agents.learners import PPOConfig
from agents.training.checkpoint import MANIFEST
from agents.training.errors import CorruptRunError
from agents.training.run import train
from rl_info.skills import SkillSpec

CPU = torch.device("cpu")
TINY: dict[str, Any] = {"env": "tabletop/explore", "total_steps": 80, "warmup_steps": 40}


def train_skills(folder: Path, agent: str = "slim", **changes: Any) -> Path:
    train(folder, small(agent, **(TINY | changes)), NoEvaluation)
    return folder


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_skills(tmp_path_factory.mktemp("slim") / "run")


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": "slim", "skill": SkillSpec("discrete", 5)},
        {"agent": "slim", "warmup_steps": 0, "total_steps": 160,
         "learner": PPOConfig(hidden_dim=32, rollout_length=10)},
    ],
    ids=["sac", "ppo"],
)  # fmt: skip
def test_frozen_skills_act_as_their_run_did(tmp_path: Path, changes: dict[str, Any]) -> None:
    changes = dict(changes)
    folder = train_skills(tmp_path / "run", **changes)
    taken = skills_of_run(folder, CPU)
    save_skills(tmp_path / "copy", taken)
    learner = load_subject(folder).policy
    generator = torch.Generator().manual_seed(0)
    obs = torch.randn(7, 29, generator=generator) * 3
    skill = taken.spec.sample(7, generator)
    for skills in (taken, load_skills(tmp_path / "copy", CPU)):
        assert torch.equal(skills.act(obs, skill), learner.act(obs, skill, deterministic=True))
        learner.generator.manual_seed(1)
        noise = torch.randn(7, 4, generator=torch.Generator().manual_seed(1))
        assert torch.equal(skills.act(obs, skill, noise), learner.act(obs, skill))
        assert skills.origin.env_steps >= 80
        assert skills.origin.config.skill == taken.spec
        assert skills.interface == taken.interface


def test_the_copy_says_where_it_comes_from(slim: Path, tmp_path: Path) -> None:
    save_skills(tmp_path / "copy", skills_of_run(slim, CPU))
    manifest = json.loads((tmp_path / "copy" / MANIFEST).read_text())
    assert (manifest["taken_from"], manifest["env_steps"]) == (str(slim), 80)
    assert manifest["config"]["agent"] == "slim"
    assert manifest["interface"]["observation"]["objects"] == 18
    assert manifest["interface"]["control_period"] == pytest.approx(0.05)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def change_setting(path: Path) -> None:
    path.write_text(path.read_text().replace('"env_steps": 80', '"env_steps": 81'))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("policy.safetensors", flip),
        ("policy.safetensors", Path.unlink),
        (MANIFEST, change_setting),
        (MANIFEST, Path.unlink),
        (MANIFEST, lambda path: path.write_text("[]")),
    ],
    ids=["flipped", "missing", "changed", "no-manifest", "foreign"],
)
def test_a_damaged_copy_is_named(
    slim: Path, tmp_path: Path, name: str, damage: Callable[[Path], Any]
) -> None:
    copy = tmp_path / "copy"
    save_skills(copy, skills_of_run(slim, CPU))
    damage(copy / name)
    with pytest.raises(CorruptRunError, match=rf"{name} is (missing|damaged)"):
        load_skills(copy, CPU)


def test_a_run_without_skills_is_refused(tmp_path: Path, slim: Path) -> None:
    folder = train_skills(tmp_path / "sac", "sac", env="dmc/cartpole-balance")
    with pytest.raises(UsageError, match=r"--hierarchy.skills .*sac: this run has no skill") as e:
        skills_of_run(folder, CPU)
    assert "metra" in str(e.value)
    assert "rnd" not in str(e.value)
    with pytest.raises(UsageError, match=r"--hierarchy.skills nowhere: .*not a run folder"):
        skills_of_run(Path("nowhere"), CPU)
    over = tmp_path / "over"
    config = HierarchyConfig(skills=str(slim))
    train(over, small("diayn", **(TINY | {"hierarchy": config})), NoEvaluation)
    with pytest.raises(UsageError, match="this run chooses among the skills of"):
        skills_of_run(over, CPU)


def interface(task_id: str, **options: Any) -> Interface:
    with closing(envs.make_vec(task_id, **options)) as world:
        return Interface.of(world)


def test_skills_read_the_parts_that_they_know_by_name() -> None:
    explore, push = interface("tabletop/explore"), interface("tabletop/push")
    assert explore.columns_in(push).tolist() == list(range(29))
    assert explore.columns_in(explore).tolist() == list(range(29))
    turned = dataclasses.replace(
        push, observation={"goal": 6, **{k: v for k, v in push.observation.items() if k != "goal"}}
    )
    assert explore.columns_in(turned).tolist() == list(range(6, 35))


@pytest.mark.parametrize(
    ("trained", "used", "message"),
    [
        (("tabletop/push", {}), ("tabletop/explore", {}), "its observation lacks goal"),
        (
            ("tabletop/explore", {}),
            ("tabletop/stack", {}),
            "cannot act in tabletop/stack: objects has 36 numbers instead of 18",
        ),
        (("tabletop/explore", {}), ("tabletop/push", {"yaw": True}), "5 numbers instead of 4"),
        (("dmc/cheetah-run", {}), ("gym/HalfCheetah-v5", {}), "action every 0.05 s instead of"),
        (
            ("dmc/cheetah-run", {}),
            ("tabletop/push", {}),
            "its observation lacks position, velocity",
        ),
        (("gym/Pendulum-v1", {}), ("dmc/pendulum-swingup", {}), "lacks observation of gym/Pend"),
        (("gym/Pendulum-v1", {}), ("gym/Pendulum-v1", {}), ""),
    ],
)
def test_other_worlds_are_refused_by_what_they_lack(trained: Any, used: Any, message: str) -> None:
    source, target = (interface(name, **options) for name, options in (trained, used))
    if not message:
        assert source.columns_in(target).tolist() == [0, 1, 2]
        return
    with pytest.raises(ValueError, match="the skills were trained in") as error:
        source.columns_in(target)
    assert message in str(error.value)


def test_other_bounds_of_the_actions_are_refused() -> None:
    explore = interface("tabletop/explore")
    wider = dataclasses.replace(explore, action_high=(2.0,) * 4)
    with pytest.raises(ValueError, match="its actions have other bounds"):
        explore.columns_in(wider)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"skills": "x", "steps": 0}, "hierarchy.steps must be at least 1"),
        ({"steps": 5}, "hierarchy.steps needs --hierarchy.skills"),
        ({"sample": True}, "hierarchy.sample needs --hierarchy.skills"),
    ],
)
def test_settings_that_mean_nothing_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HierarchyConfig(**values)
