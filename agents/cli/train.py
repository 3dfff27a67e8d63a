"""`rl-info train`: train an agent, or resume a run."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import tyro

from agents.cli.evaluate import evaluate_run
from agents.errors import UsageError
from agents.finetune.config import FinetuneConfig
from agents.finetune.pretrained import follow
from agents.presets import PRESETS
from agents.training.config import TrainConfig
from agents.training.config_data import flatten, to_data
from agents.training.defaults import default_config, demo_config
from agents.training.periodic_evaluation import PeriodicEvaluation
from agents.training.run import train
from agents.training.run_folder import EVALUATION, default_run_dir, read_config
from envs import task_options
from envs.errors import PhysicsError, WorldError

EXIT_OK, EXIT_FAILED, EXIT_SIGNAL = 0, 1, 128

DESCRIPTION = """Train an agent: rl-info train [AGENT] [FLAGS], or rl-info train --resume DIR.

The flags below show the defaults of {agent}. Without AGENT, this is a demonstration of skill
discovery that takes about five minutes; `rl-info list agents` shows the others."""

EXTENDABLE = frozenset(
    {
        "total_steps", "num_threads", "torch_threads", "log_interval", "eval_interval",
        "eval_video", "checkpoint_interval", "keep_checkpoints",
    }
)  # fmt: skip
"""Settings that may differ when a run is resumed: they change how long and how fast, not what."""


@dataclass(frozen=True)
class Arguments(TrainConfig):
    """The settings of a run, and its folder."""

    run_dir: Path | None = None
    """Folder of the run; default: runs/AGENT-ENV-SEED-TIMESTAMP."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Run folder to continue; only the schedule's length and the speed settings may change."""
    agent: Annotated[str, tyro.conf.Suppress] = field(default="sac")


def run(arguments: list[str]) -> int:
    """Train as the command line asks; returns the exit code (130 or 143 after a signal)."""
    agent, flags = split_agent(arguments)
    folder = resume_folder(flags)
    if folder is None:
        defaults = demo_config() if agent is None else default_config(agent)
        finetune = finetune_flags(flags)
        if finetune.run is not None:
            defaults = follow(defaults, finetune)
        config, run_dir = parse(flags, defaults, f"rl-info train {agent or '[AGENT]'}")
        folder = run_dir or default_run_dir(config)
        return execute(folder, config, resume=False)
    saved = read_config(folder)
    if agent not in (None, saved.agent):
        raise UsageError(f"{folder} holds a run of {saved.agent!r}, not of {agent!r}")
    config, run_dir = parse(flags, saved)
    if run_dir is not None:
        raise UsageError("--resume continues in its own folder: leave out --run-dir")
    refuse_contradictions(folder, saved, config)
    return execute(folder, config, resume=True)


def split_agent(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The agent, which is the first argument unless that is a flag, and the rest.

    Raises UsageError for an agent that comes later.
    """
    if arguments and not arguments[0].startswith("-"):
        return arguments[0], arguments[1:]
    for before, word in pairwise(arguments):
        if word in PRESETS and not before.startswith("-"):
            raise UsageError(f"the agent comes first: rl-info train {word} [FLAGS]")
    return None, arguments


def resume_folder(flags: list[str]) -> Path | None:
    """The folder after `--resume`, whose settings become the defaults of all other flags."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="rl-info train")
    finder.add_argument("--resume", type=Path)
    folder: Path | None = finder.parse_known_args(flags)[0].resume
    return folder


def finetune_flags(flags: list[str]) -> FinetuneConfig:
    """Which run to start from, and how much of it: its settings become defaults of other flags."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="rl-info train")
    finder.add_argument("--finetune.run", dest="run")
    finder.add_argument("--finetune.critics", dest="critics", default="fresh")
    found = finder.parse_known_args(flags)[0]
    if found.run is None:
        return FinetuneConfig()
    # A wrong value is told by the parser of all flags.
    return FinetuneConfig(run=found.run, critics="trunk" if found.critics == "trunk" else "fresh")


def parse(
    flags: list[str], defaults: TrainConfig, program: str = "rl-info train"
) -> tuple[TrainConfig, Path | None]:
    """Settings and run folder of a command line; exits with code 2 for a bad flag or value.

    `--env-options` adds to the options in `defaults` instead of replacing them; with another
    `--env`, those that it does not have are left out.
    """
    names = [item.name for item in dataclasses.fields(TrainConfig)]
    values = {name: getattr(defaults, name) for name in names} | {"env_options": {}}
    parsed = tyro.cli(
        Arguments,
        args=flags,
        default=Arguments(**values),
        prog=program,
        description=DESCRIPTION.format(agent=defaults.agent),
    )
    chosen = {name: getattr(parsed, name) for name in names}
    kept = dict(defaults.env_options)
    if parsed.env != defaults.env:
        kept = {name: kept[name] for name in task_options(parsed.env) if name in kept}
    chosen["env_options"] = {**kept, **parsed.env_options}
    return TrainConfig(**chosen), parsed.run_dir


def refuse_contradictions(folder: Path, saved: TrainConfig, asked: TrainConfig) -> None:
    """Raise UsageError naming the first setting that a resumed run cannot change."""
    old, new = dict(flatten(to_data(saved))), dict(flatten(to_data(asked)))
    for name in new:
        if name not in EXTENDABLE and old.get(name) != new[name]:
            raise UsageError(
                f"{folder} was trained with {name} {old.get(name)}, not {new[name]}: leave the "
                "flag out, or start a new run"
            )


def execute(folder: Path, config: TrainConfig, *, resume: bool) -> int:
    """Train, evaluate and say where the results are."""
    try:
        outcome = train(folder, config, PeriodicEvaluation, resume=resume)
    except (ArithmeticError, PhysicsError, WorldError, OSError) as error:
        print(f"rl-info train: stopped: {error}; see {folder}", file=sys.stderr)
        return EXIT_FAILED
    if outcome.signal_number is not None:
        print(f"stopped at {outcome.step:,} env steps; continue: rl-info train --resume {folder}")
        return EXIT_SIGNAL + outcome.signal_number
    print(f"trained {outcome.step:,} env steps: {folder}")
    evaluate_run(folder, folder / EVALUATION)
    return EXIT_OK
