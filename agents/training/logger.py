"""What a run writes for people: TensorBoard events and one JSON line per log."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import UInt8
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from torch.utils.tensorboard import SummaryWriter

from agents.training.config_data import flatten
from agents.training.errors import CorruptRunError
from agents.training.files import replace_atomically
from agents.training.gif import encode_gif

METRICS_FILE = "metrics.jsonl"

Number = int | float | None
"""A logged value; None where it was not finite."""


class RunLogger:
    """Writes scalars, text, figures and videos of a run to its folder.

    Scalars go to TensorBoard and, one JSON object a call with the key `env_steps`, to
    `metrics.jsonl`. With `resume_step`, what an interrupted run logged after that step is dropped
    from both, so that no step appears twice.
    """

    def __init__(self, folder: Path, resume_step: int | None = None) -> None:
        purge_step = None if resume_step is None else resume_step + 1
        self._metrics_path = folder / METRICS_FILE
        if resume_step is not None and self._metrics_path.exists():
            kept = [line for line in read_metrics(folder) if _step_of(line) <= resume_step]
            replace_atomically(self._metrics_path, "".join(map(_json_line, kept)).encode())
        self._metrics = self._metrics_path.open("a")
        self._writer = SummaryWriter(str(folder), purge_step=purge_step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log named numbers; a name says its unit where it has one, as in `time/…_per_second`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._metrics.write(_json_line({"env_steps": step, **values}))
        self._metrics.flush()

    def config(self, config: Mapping[str, Any]) -> None:
        """Show the nested settings as a table on the Text page."""
        rows = "\n".join(f"| {name} | {value} |" for name, value in flatten(config))
        self._writer.add_text("config", f"| setting | value |\n|---|---|\n{rows}", 0)

    def text(self, step: int, name: str, text: str) -> None:
        """Show Markdown on the Text page."""
        self._writer.add_text(name, text, step)

    def figure(self, step: int, name: str, figure: Any) -> None:
        """Log a matplotlib figure on the Images page."""
        self._writer.add_figure(name, figure, step)

    def video(
        self, step: int, name: str, frames: Sequence[UInt8[np.ndarray, "H W 3"]], fps: float
    ) -> None:
        """Log frames as an animated GIF, which the Images page plays.

        `SummaryWriter.add_video` needs an old moviepy and writes nothing, without an error, where
        it finds a new one.
        """
        height, width = frames[0].shape[:2]
        image = Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=encode_gif(frames, fps)
        )
        summary = Summary(value=[Summary.Value(tag=name, image=image)])
        # The writer opens its file at the first use, which may be this one.
        self._writer._get_file_writer().add_summary(summary, step)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._writer.flush()
        self._metrics.flush()

    def close(self) -> None:
        """Flush and close the files."""
        self._writer.close()
        self._metrics.close()

    def __enter__(self) -> RunLogger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_metrics(folder: Path) -> list[dict[str, Number]]:
    """The lines of `metrics.jsonl` in a run folder; an unfinished last line is left out.

    Raises CorruptRunError naming the file if another line is not one that `RunLogger` wrote.
    """
    path = folder / METRICS_FILE
    try:
        lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        if not all("env_steps" in line for line in lines):
            raise ValueError("a line lacks 'env_steps'")
    except (ValueError, TypeError) as error:
        raise CorruptRunError(f"{path} is damaged or foreign: {error}") from error
    return lines


def _json_line(values: Mapping[str, Number]) -> str:
    # JSON has no NaN: a reader in another language gets null.
    clean = {name: _finite(value) for name, value in values.items()}
    return json.dumps(clean) + "\n"


def _finite(value: Number) -> Number:
    return value if value is not None and math.isfinite(value) else None


def _step_of(line: Mapping[str, Number]) -> int:
    return int(line["env_steps"] or 0)
