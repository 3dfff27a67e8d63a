"""What a run logs, read back from the files as TensorBoard reads them."""

from __future__ import annotations

import io
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.training.gif import encode_gif
from agents.training.logger import METRICS_FILE, RunLogger, read_metrics


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    accumulator.Reload()
    return accumulator


def test_scalars_are_in_tensorboard_and_in_the_metrics_file(tmp_path: Path) -> None:
    with RunLogger(tmp_path) as logger:
        logger.scalars(10, {"eval/return": 1.5})
        logger.scalars(20, {"eval/return": 2.5, "loss/actor": -1.0})
    found = [(event.step, event.value) for event in events(tmp_path).Scalars("eval/return")]
    assert found == [(10, 1.5), (20, 2.5)]
    assert read_metrics(tmp_path) == [
        {"env_steps": 10, "eval/return": 1.5},
        {"env_steps": 20, "eval/return": 2.5, "loss/actor": -1.0},
    ]


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    with RunLogger(tmp_path) as logger:
        for step in (10, 20, 30):
            logger.scalars(step, {"eval/return": float(step)})
    with (tmp_path / METRICS_FILE).open("a") as file:
        file.write('{"env_steps": 40, "eval/re')
    with RunLogger(tmp_path, resume_step=20) as logger:
        logger.scalars(30, {"eval/return": 31.0})
    found = [(event.step, event.value) for event in events(tmp_path).Scalars("eval/return")]
    assert found == [(10, 10.0), (20, 20.0), (30, 31.0)]
    assert [line["eval/return"] for line in read_metrics(tmp_path)] == [10.0, 20.0, 31.0]


def test_values_that_json_lacks_become_null(tmp_path: Path) -> None:
    with RunLogger(tmp_path) as logger:
        logger.scalars(1, {"a": float("nan"), "b": 2.0})
    assert "NaN" not in (tmp_path / METRICS_FILE).read_text()
    assert read_metrics(tmp_path) == [{"env_steps": 1, "a": None, "b": 2.0}]


def moving_square(count: int) -> list[np.ndarray]:
    frames = []
    for index in range(count):
        frame = np.zeros((40, 60, 3), np.uint8)
        frame[10:20, 5 * index : 5 * index + 10] = (255, 0, 0)
        frames.append(frame)
    return frames


def test_the_video_really_is_in_the_event_file(tmp_path: Path) -> None:
    frames = moving_square(8)
    with RunLogger(tmp_path) as logger:
        logger.video(5, "eval/video", frames, fps=10.0)
    (image,) = events(tmp_path).Images("eval/video")
    assert (image.step, image.width, image.height) == (5, 60, 40)
    assert image.encoded_image_string[:6] == b"GIF89a"
    shown = iio.imread(io.BytesIO(image.encoded_image_string), index=None, extension=".gif")
    assert shown.shape == (8, 40, 60, 3)
    assert np.abs(shown.astype(int) - np.stack(frames)).max() < 8
    meta = iio.immeta(io.BytesIO(image.encoded_image_string), extension=".gif")
    assert meta["duration"] == 100
    assert meta["loop"] == 0


def test_a_video_needs_frames() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        encode_gif([], 10.0)


def test_figures_and_settings_are_shown(tmp_path: Path) -> None:
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    with RunLogger(tmp_path) as logger:
        logger.figure(3, "eval/trajectories", figure)
        logger.config({"seed": 4, "learner": {"hidden_dim": 256}, "env_options": {}})
    found = events(tmp_path)
    assert found.Images("eval/trajectories")[0].encoded_image_string[:4] == b"\x89PNG"
    (text,) = found.Tensors("config/text_summary")
    shown = text.tensor_proto.string_val[0].decode()
    assert "| learner.hidden_dim | 256 |" in shown
    assert "| seed | 4 |" in shown
    assert "| env_options | {} |" in shown
