"""What the run folder tells about the start of fine-tuning."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from agents.finetune.choice import SkillChoice
from agents.finetune.pretrained import Pretrained
from agents.training.files import replace_atomically
from agents.training.logger import RunLogger

FINETUNE = "finetune"
"""Folder of these files in a run folder."""
SOURCE = "source.json"
SKILL = "skill.json"


def save_source(folder: Path, pretrained: Pretrained) -> None:
    """Write where the policy of the run in `folder` comes from."""
    (folder / FINETUNE).mkdir()
    _write(folder / FINETUNE / SOURCE, pretrained.describe())


class ChoiceRecord:
    """Writes the choice of a skill to the run folder and to TensorBoard, once it is made."""

    def __init__(self, folder: Path, choice: SkillChoice, logger: RunLogger) -> None:
        self._path = folder / FINETUNE / SKILL
        self._choice = choice
        self._logger = logger
        self._done = choice.finished and self._path.exists()

    def write(self) -> str | None:
        """Write what there is to tell; returns a line for people the first time, then None."""
        if self._done or not self._choice.finished:
            return None
        self._done = True
        report = describe(self._choice)
        _write(self._path, report)
        self._logger.text(self._choice.env_steps, "finetune/skill", _table(report))
        if not report["skill"]:
            return "starts from a policy without skills"
        tried = f"the best of {len(self._choice.candidates)}, " if report["tried"] else ""
        return f"{tried}held from {self._choice.env_steps:,} env steps on: {_named(report)}"


def describe(choice: SkillChoice) -> dict[str, Any]:
    """The chosen skill, and the task returns of all that were tried, as plain data."""
    tried = [
        {
            "skill": skill.tolist(),
            "mean_return": fmean(returns),
            "returns": returns,
        }
        for skill, returns in zip(choice.candidates, choice.returns, strict=True)
        if returns
    ]
    return {
        "skill": choice.held.tolist(),
        "candidate": choice.best,
        "env_steps": choice.env_steps,
        "trial_steps": choice.trial_steps if tried else 0,
        "tried": tried,
    }


def _named(report: dict[str, Any]) -> str:
    skill = " ".join(f"{value:.3g}" for value in report["skill"])
    if not report["tried"]:
        return f"skill {skill}"
    earned = report["tried"][report["candidate"]]["mean_return"]
    return f"skill {report['candidate']} ({skill}), return {earned:.4g}"


def _table(report: dict[str, Any]) -> str:
    """The report for the Text page of TensorBoard."""
    lines = [f"held {_named(report)}", "", "| candidate | skill | mean return | tries |"]
    lines.append("|---|---|---|---|")
    for number, row in enumerate(report["tried"]):
        skill = " ".join(f"{value:.3g}" for value in row["skill"])
        lines.append(f"| {number} | {skill} | {row['mean_return']:.4g} | {len(row['returns'])} |")
    return "\n".join(lines)


def _write(path: Path, content: dict[str, Any]) -> None:
    replace_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
