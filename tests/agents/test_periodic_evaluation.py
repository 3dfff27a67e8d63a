"""The evaluation during training: what it logs, and that training does not notice it."""

from __future__ import annotations

import dataclasses
import io
import logging
from contextlib import closing
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.evaluation.objects import summarise_objects
from agents.evaluation.rollouts import collect_rollouts
from agents.evaluation.safety import summarise_safety
from agents.training import periodic_evaluation
from agents.training.config import TrainConfig
from agents.training.defaults import default_config
from agents.training.logger import RunLogger
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.session import Session
from agents.training.state_tree import encode
from envs.errors import RenderingError
from envs.gl import probe_gl


def config(**changes: Any) -> TrainConfig:
    small = {"num_envs": 2, "eval_episodes": 4, "max_episode_steps": 12, "num_threads": 1}
    return dataclasses.replace(default_config("metra"), **(small | changes))


def evaluate(session: Session, folder: Path) -> tuple[dict[str, float], EventAccumulator]:
    with RunLogger(folder) as logger, closing(PeriodicEvaluation(session)) as evaluation:
        scalars = dict(evaluation(64, logger))
        assert evaluation(65, logger) == scalars
    found = EventAccumulator(str(folder), size_guidance={"images": 0})
    found.Reload()
    return scalars, found


def test_return_coverage_and_picture_without_touching_the_session(tmp_path: Path) -> None:
    with closing(Session.build(config(eval_video=False))) as session:
        session.start()
        before = encode(session.state_dict())
        scalars, found = evaluate(session, tmp_path)
        assert encode(session.state_dict()) == before
    assert scalars["eval/length_steps"] == 12
    assert scalars["eval/coverage_cells_1m"] >= 1
    assert {"eval/return", "eval/return_std"} < set(scalars)
    assert found.Tags()["images"] == ["eval/trajectories"]


def test_a_table_tells_of_objects_and_violations(tmp_path: Path) -> None:
    small = {"num_envs": 2, "eval_episodes": 4, "num_threads": 1, "eval_video": False}
    slim = dataclasses.replace(default_config("slim"), **small)
    with closing(Session.build(slim)) as session:
        session.start()
        scalars, _ = evaluate(session, tmp_path)
        evaluation = PeriodicEvaluation(session)
        with closing(evaluation):
            rollouts = collect_rollouts(
                evaluation._policy, evaluation._world, evaluation._skills, seed=evaluation._seed
            )
    objects = summarise_objects(rollouts, slim.skill, 0.05, seed=0)
    assert scalars["eval/object_displacement_m"] == objects["displacement_m"]["value"]
    assert scalars["eval/object_displacement_cells"] == objects["displacement_cells"]
    violations = summarise_safety(rollouts, seed=0)["violations_per_1000_steps"]["value"]
    assert scalars["eval/violations_per_1000_steps"] == pytest.approx(violations)


@pytest.mark.gl
@pytest.mark.skipif(not probe_gl().works, reason="no OpenGL")
def test_the_video_shows_the_worlds_moving(tmp_path: Path) -> None:
    with closing(Session.build(config())) as session:
        session.start()
        _, found = evaluate(session, tmp_path)
    content = found.Images("eval/video")[0].encoded_image_string
    frames = iio.imread(io.BytesIO(content), index=None, extension=".gif")
    assert len(frames) >= 10
    assert frames[0].std() > 5
    assert np.abs(frames[-1].astype(int) - frames[0]).max() > 50


def test_without_opengl_it_says_so_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise RenderingError("install libegl1")

    monkeypatch.setattr(periodic_evaluation, "record_grid", fail)
    with caplog.at_level(logging.WARNING), closing(Session.build(config())) as session:
        session.start()
        scalars, found = evaluate(session, tmp_path)
    assert "eval/return" in scalars
    assert "eval/video" not in found.Tags()["images"]
    assert [record.getMessage() for record in caplog.records] == [
        "no video in TensorBoard: install libegl1"
    ]


def test_a_task_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Session.build(config(eval_video=False))) as session:
        world = periodic_evaluation.make_world(session.config, 1, 0)
        world.max_episode_steps = None
        monkeypatch.setattr(periodic_evaluation, "make_world", lambda *arguments: world)
        with pytest.raises(ValueError, match="never truncates"):
            PeriodicEvaluation(session)
