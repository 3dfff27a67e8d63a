"""`rl-info plan`: bring things to goals by planning over the skills of a trained run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import tyro

from agents.planning.plan import PLANNING, REPORT, check_output, plan
from agents.planning.settings import PlanConfig
from agents.planning.summary import summarise_planning
from agents.planning.task import open_task


@dataclass(frozen=True)
class Arguments(PlanConfig):
    """Plan over the skills of the newest checkpoint of a run folder, against not planning."""

    run_dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")] = tyro.MISSING
    """Folder that `rl-info train` made, of an agent with skills."""
    checkpoint: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Checkpoint folder to take instead of the newest one."""
    output: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """New folder for the results; default: the folder `planning` of the run."""


def run(arguments: list[str]) -> int:
    """Plan as the command line asks, print a summary and the paths of what was written."""
    options = tyro.cli(Arguments, args=arguments, prog="rl-info plan", description=__doc__)
    config = PlanConfig(**{item.name: getattr(options, item.name) for item in fields(PlanConfig)})
    output = options.output or options.run_dir / PLANNING
    check_output(output)
    report = plan(open_task(options.run_dir, config, options.checkpoint), output, config)
    for line in summarise_planning(report):
        print(line)
    for name in (*report["files"], REPORT):
        print(f"  {output / name}")
    return 0
