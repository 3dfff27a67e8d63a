"""Fine-tuning from runs: what is taken over, counted, kept and refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from test_resume import manifest, run, small

from agents.cli.main import main
from agents.errors import UsageError
from agents.evaluation import EvaluationConfig, evaluate
from agents.evaluation.load import load_subject
from agents.finetune.config import FinetuneConfig
from agents.finetune.pretrained import Pretrained, follow
from agents.hierarchy.config import HierarchyConfig
from agents.learners import PPOConfig, SACConfig
from agents.training.checkpoint import load_checkpoint
from agents.training.logger import RunLogger, read_metrics
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.run_folder import latest_checkpoint
from agents.training.session import Session
from rl_info.skills import SkillSpec

TINY = {"total_steps": 80, "warmup_steps": 40, "max_episode_steps": 12}


@pytest.fixture(scope="module")
def metra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four discrete skills on the cheetah."""
    folder = tmp_path_factory.mktemp("sources") / "metra"
    run(folder, small("metra", skill=SkillSpec("discrete", 4), **TINY))
    return folder


@pytest.fixture(scope="module")
def apt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent without skills."""
    folder = tmp_path_factory.mktemp("sources") / "apt"
    run(folder, small("apt", **TINY))
    return folder


def tuned(source: Path, agent: str = "sac", **changes: Any) -> Any:
    """Eight worlds; two tries of each of four skills for 5 steps are 40 env steps."""
    finetune = FinetuneConfig(
        str(source), **{"trial_steps": 5, "actor_rest_steps": 8, **changes.pop("finetune", {})}
    )
    fields = {"total_steps": 240, "warmup_steps": 0, "max_episode_steps": 12, "log_interval": 40}
    config = small(agent, **{**fields, "update_ratio": 0.25, "eval_interval": 0, **changes})
    env = {name: changes[name] for name in ("env", "env_options") if name in changes}
    return dataclasses.replace(follow(config, finetune), **env)


def build(config: Any) -> Session:
    return Session.build(config, None, Pretrained(config))


def modules(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(latest_checkpoint(folder), ["learner"]).states["learner"]["modules"]


def test_the_learner_starts_as_the_source_acts(metra: Path) -> None:
    config = tuned(metra)
    source = modules(metra)
    with closing(build(config)) as session:
        state = session.learner.state_dict()["modules"]
        fresh = dataclasses.replace(config, finetune=FinetuneConfig())
        with closing(Session.build(fresh)) as scratch:
            other = scratch.learner.state_dict()["modules"]
    assert session.learner.state._normalises
    for name, value in state.items():
        part = name.split(".")[0]
        expected = source if part in ("actor", "normaliser", "temperature") else other
        assert torch.equal(value, expected[name]), name
    assert not torch.equal(state["actor.net.flat"], other["actor.net.flat"])
    assert state["normaliser.count"] == 80
    assert state["temperature.log"] != other["temperature.log"]


def test_the_temperature_can_be_fresh(metra: Path) -> None:
    config = tuned(metra, finetune={"temperature": "fresh"})
    with closing(build(config)) as session:
        fresh = session.learner.temperature()
        assert float(fresh) == pytest.approx(config.learner.initial_temperature)


def test_the_trunk_of_the_critics_can_be_taken_over(metra: Path) -> None:
    source = modules(metra)
    with closing(build(tuned(metra, finetune={"critics": "trunk"}))) as session:
        learner = session.learner
        ours = learner.critics.net.layout.layers(learner.critics.net.flat)
        theirs = learner.critics.net.layout.layers(source["critics.net.flat"])
        assert torch.equal(ours.input_weight, theirs.input_weight)
        assert all(map(torch.equal, ours.weights, theirs.weights))
        assert all(map(torch.equal, ours.biases, theirs.biases))
        assert not torch.equal(ours.output_weight, theirs.output_weight)
        assert torch.equal(learner.critics.net.flat, learner.target_critics.net.flat)


def test_env_steps_of_the_choice_count_and_nothing_is_learned_in_them(metra: Path) -> None:
    config = tuned(metra, warmup_steps=24)
    with closing(build(config)) as session:
        before = session.learner.state_dict()["modules"]["actor.net.flat"].clone()
        session.start()
        updates = []
        for step in range(1, 11):
            session.collector.step(session.learner)
            assert session.collector.env_steps == 8 * step
            assert session.choice.finished == (step >= 5)
            updates.append(sum(1 for _ in session.batches.due(8 * step)))
            if step <= 5:
                assert torch.equal(session.learner.actor.net.flat, before)
        # One update in four env steps, from the first step after the choice on.
        assert updates == [0] * 5 + [2] * 5
        assert session.choice.env_steps == 40
        assert [len(values) for values in session.choice.returns] == [2] * 4
        stored = session.replay.newest(10)
        skills = stored.skill.view(10, 8, 4)
        assert torch.equal(skills[0].argmax(-1), torch.arange(8) % 4)
        assert (skills[:5] == skills[0]).all()
        assert (skills[5:] == session.choice.held).all()
        # What earned most is held: from the stored rewards themselves.
        earned = stored.reward.view(10, 8)[:5].sum(0).view(2, 4).mean(0)
        assert int(earned.argmax()) == session.choice.best
        assert stored.truncated.view(10, 8).sum(1).tolist() == [0] * 4 + [8] + [0] * 5
        # Tries of one number begin in the same state, those of another elsewhere.
        first = stored.obs.view(10, 8, -1)[0]
        assert (first[:4] == first[0]).all()
        assert (first[4:] == first[4]).all()
        assert not torch.equal(first[0], first[4])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "num_envs": 3,
            "finetune": {"critics": "trunk", "trial_steps": None, "actor_rest_steps": 0},
        },
        {"learner": PPOConfig(hidden_dim=32, rollout_length=5)},
    ],
    ids=["sac", "rounds", "ppo"],
)
def test_interrupted_and_resumed_equals_straight_through(
    metra: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Interrupted in the middle of the choice, and after it."""
    source = tmp_path / "source"
    shutil.copytree(metra, source)
    config = tuned(source, **changes)
    run(tmp_path / "straight", config)
    halves = tmp_path / "halves"
    run(halves, dataclasses.replace(config, total_steps=73, checkpoint_interval=16))
    shutil.rmtree(source)
    for total in (160, 240):
        run(halves, dataclasses.replace(config, total_steps=total), resume=True)
    assert manifest(halves) == manifest(tmp_path / "straight")
    for name in ("source.json", "skill.json"):
        assert (halves / "finetune" / name).read_bytes() == (
            tmp_path / "straight" / "finetune" / name
        ).read_bytes()


def test_the_folder_tells_and_stands_alone(metra: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(metra, source)
    folder = tmp_path / "run"
    run(folder, tuned(source))
    shutil.rmtree(source)
    told = json.loads((folder / "finetune" / "skill.json").read_text())
    assert [row["skill"] for row in told["tried"]] == torch.eye(4).tolist()
    means = [row["mean_return"] for row in told["tried"]]
    assert told["candidate"] == means.index(max(means))
    assert told["skill"] == torch.eye(4)[told["candidate"]].tolist()
    assert (told["env_steps"], told["trial_steps"]) == (40, 5)
    origin = json.loads((folder / "finetune" / "source.json").read_text())
    assert (origin["taken_from"], origin["agent"], origin["env_steps"]) == (
        str(source),
        "metra",
        80,
    )
    assert len(origin["checkpoint_sha256"]) == 64

    subject = load_subject(folder)
    assert subject.label.agent == "sac fine-tuned from source"
    assert subject.skill == SkillSpec()
    learner = load_checkpoint(latest_checkpoint(folder)).states
    assert torch.equal(subject.policy._choice.held, torch.tensor(told["skill"]))
    assert learner["collector"]["env_steps"] == 240
    quick = EvaluationConfig(rollouts=4, goals=0, episodes_per_skill=0, video=False)
    report = evaluate(subject, tmp_path / "evaluation", quick)
    assert report["episode_steps"]["value"] == 12


def test_an_agent_without_skills_is_taken_as_it_is(apt: Path, tmp_path: Path) -> None:
    with closing(build(tuned(apt))) as session:
        assert session.choice.finished
        assert session.choice.skills.shape == (8, 0)
        session.start()
        obs = torch.from_numpy(session.collector._obs)
        assert torch.equal(
            session.policy(session.world).act(obs, torch.zeros(8, 0), True),
            session.learner.act(obs, torch.zeros(8, 0), True),
        )
    folder = tmp_path / "run"
    run(folder, tuned(apt))
    told = json.loads((folder / "finetune" / "skill.json").read_text())
    assert (told["skill"], told["tried"], told["env_steps"]) == ([], [], 0)
    assert load_subject(folder).label.agent == "sac fine-tuned from apt"


def test_evaluation_in_training_follows_the_held_skill(metra: Path, tmp_path: Path) -> None:
    config = tuned(metra, eval_episodes=3, eval_video=False, finetune={"skill": (2.0,)})
    with closing(build(config)) as session:
        assert torch.equal(session.choice.skills, torch.eye(4)[2].expand(8, 4))
        with RunLogger(tmp_path) as logger, closing(PeriodicEvaluation(session)) as evaluation:
            assert evaluation(1, logger)["eval/length_steps"] == 12
        obs = torch.randn(5, 17)
        expected = session.learner.act(obs, torch.eye(4)[2].expand(5, 4), True)
        assert torch.equal(
            session.policy(session.world).act(obs, torch.zeros(5, 0), True), expected
        )


def sizes(**changes: Any) -> dict[str, Any]:
    return {"learner": SACConfig(hidden_dim=32, normalise_observations=True, **changes)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learner": SACConfig(hidden_dim=64)}, "its learner.hidden_dim is 32, not 64: leave out"),
        ({"learner": SACConfig(hidden_dim=32)}, "normalise_observations is True, not False"),
        ({"skill": SkillSpec("discrete", 5)}, "its skill.dim is 4, not 5: leave out --skill.dim"),
        ({"env": "dmc/walker-walk"}, "cannot act in dmc/walker-walk: its observation lacks"),
        ({"total_steps": 40}, "trying 4 skills .* 40 env steps, all of the 40 of the run"),
        (
            {"total_steps": 48},
            "rests until 48 env steps, .* 48 of the run: use fewer --finetune.ac",
        ),
        (
            {**sizes(layer_norm=False), "finetune": {"critics": "trunk"}},
            "learner.layer_norm is True, not False: leave out --learner.layer-norm",
        ),
        (
            {
                "learner": PPOConfig(hidden_dim=32, normalise_observations=True, layer_norm=True),
                "finetune": {"critics": "trunk"},
            },
            "trained with sac, whose critics are of another kind",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_makes_no_folder(
    metra: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    finetune = changes.get("finetune", {})
    config = tuned(metra, finetune=finetune)
    config = dataclasses.replace(
        config, **{name: value for name, value in changes.items() if name != "finetune"}
    )
    with pytest.raises(UsageError, match=message):
        run(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_sources_that_cannot_be_taken_over(metra: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--finetune.run .*missing.* is not a run folder"):
        tuned(tmp_path / "missing")
    controller = tmp_path / "controller"
    over = HierarchyConfig(skills=str(metra), steps=4)
    run(controller, small("sac", hierarchy=over, **TINY))
    with pytest.raises(UsageError, match="this run chooses among the skills of"):
        run(tmp_path / "run", tuned(controller))
    with pytest.raises(ValueError, match="leave out one of them"):
        tuned(metra, hierarchy=over)


def test_settings_need_a_run() -> None:
    with pytest.raises(ValueError, match=r"finetune.critics needs --finetune.run RUN_FOLDER"):
        FinetuneConfig(critics="trunk")
    with pytest.raises(ValueError, match="candidates must be at least 1, got 0"):
        FinetuneConfig("run", candidates=0)


def test_more_to_see_needs_a_hierarchy(tmp_path: Path) -> None:
    slim = tmp_path / "slim"
    run(slim, small("slim", env="tabletop/explore", **TINY))
    with pytest.raises(UsageError, match=r"cannot be fine-tuned in tabletop/push: .* besides"):
        run(tmp_path / "run", tuned(slim, env="tabletop/push"))


@pytest.mark.slow
def test_the_two_commands_of_the_readme(tmp_path: Path) -> None:
    """Discover skills, fine-tune, delete the skills' run, resume, evaluate."""
    flags = [
        "--total-steps=200", "--num-envs=4", "--max-episode-steps=12", "--num-threads=1",
        "--learner.batch-size=16", "--eval-interval=100", "--eval-episodes=4", "--no-eval-video",
        "--log-interval=50", "--warmup-steps=80",
    ]  # fmt: skip

    def rl_info(*words: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli.main", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    rl_info(
        "train", "metra", "--env", "dmc/walker-walk", "--run-dir", "runs/metra",
        "--learner.hidden-dim=16", *flags,
    )  # fmt: skip
    shown, told = rl_info(
        "train", "sac", "--finetune.run", "runs/metra", "--finetune.trial-steps", "6",
        "--finetune.actor-rest-steps", "20", "--run-dir", "runs/walk", *flags,
    )  # fmt: skip
    assert "sac fine-tuned from metra on dmc/walker-walk" in shown
    # Sixteen skills of six steps each.
    assert "the best of 16, held from 96 env steps on: skill " in told
    shutil.rmtree(tmp_path / "runs" / "metra")
    walk = tmp_path / "runs" / "walk"
    assert sum("eval/return" in line for line in read_metrics(walk)) == 2
    assert main(["evaluate", str(walk), "--no-video", "--rollouts=4", "--goals=0"]) == 0
    report = json.loads((walk / "evaluation" / "report.json").read_text())
    assert report["skill"] == {"kind": "none", "dim": 0}
    assert main(["train", "--resume", str(walk), "--total-steps=240"]) == 0
    assert latest_checkpoint(walk).name == "step_000000240"
