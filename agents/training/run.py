"""Runs a training session in its folder, from the start or from its last checkpoint."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import torch
from tqdm.contrib.logging import logging_redirect_tqdm

from agents.errors import UsageError
from agents.finetune.pretrained import find_pretrained
from agents.finetune.record import ChoiceRecord, save_source
from agents.hierarchy.build import find_skills
from agents.hierarchy.storage import SKILLS, save_skills
from agents.training.assembly import choose_device
from agents.training.checkpoint import load_checkpoint
from agents.training.config import TrainConfig
from agents.training.config_data import to_data
from agents.training.errors import CorruptRunError
from agents.training.interruption import Interruption
from agents.training.logger import RunLogger
from agents.training.observer import Evaluation, RunObserver
from agents.training.progress import ProgressBar
from agents.training.run_folder import create_run, latest_checkpoint, write_config
from agents.training.session import Session

EvaluationFactory = Callable[[Session], Evaluation]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    step: int
    """Env steps done."""
    signal_number: int | None
    """The signal that stopped it, or None if it reached its end."""


def train(
    folder: Path, config: TrainConfig, make_evaluation: EvaluationFactory, *, resume: bool = False
) -> Outcome:
    """Train in `folder` until `config.total_steps`, or until SIGINT or SIGTERM.

    With `resume`, go on from the folder's newest checkpoint.

    Raises:
        UsageError: if settings do not fit the environment, a fresh run's folder is not empty, or
            a resumed run's files are damaged.
        NonFiniteLossError: if a loss is not finite; the folder holds a dump of the batch.
        NonFiniteStepError: if a world returns a value that is not finite.
        NonFiniteStateError: if the learner's state is not finite when it is to be saved.
    """
    use_threads(config)
    with contextlib.ExitStack() as stack:
        try:
            device = choose_device(config)
            skills = find_skills(config.hierarchy, folder if resume else None, device)
            pretrained = None if resume else find_pretrained(config)
            session = Session.build(config, skills, pretrained)
            stack.enter_context(contextlib.closing(session))
            evaluation = stack.enter_context(contextlib.closing(make_evaluation(session)))
        except ValueError as error:
            raise UsageError(str(error)) from error
        states: dict[str, Any] = {}
        if resume:
            loaded = load_checkpoint(latest_checkpoint(folder))
            states = dict(loaded.states)
            _restore(session, folder, states)
        else:
            create_run(folder, config)
            if skills is not None:
                save_skills(folder / SKILLS, skills)
            if pretrained is not None:
                save_source(folder, pretrained)
            session.start()
        return _run(session, folder, evaluation, states.get("loop"))


def use_threads(config: TrainConfig) -> None:
    """Let torch compute with as many threads as the settings say."""
    # The threads of numba are OpenMP's: when they start, they set the number that torch uses too.
    numba.get_num_threads()
    torch.set_num_threads(config.torch_threads or os.cpu_count() or 1)


def _restore(session: Session, folder: Path, states: dict[str, Any]) -> None:
    try:
        session.load_state_dict(states)
    except (ValueError, KeyError, RuntimeError) as error:
        path = latest_checkpoint(folder)
        raise CorruptRunError(f"{path} does not belong to the run's settings: {error}") from error


def _run(session: Session, folder: Path, evaluation: Evaluation, loop_state: Any) -> Outcome:
    config, step = session.config, session.collector.env_steps
    logger = RunLogger(folder, resume_step=step if loop_state else None)
    if loop_state:
        # Only now that every file has been read and found sound is one of them replaced.
        write_config(folder, config)
    logger.config(to_data(config))
    updates = loop_state["updates"] if loop_state else 0
    heading = f"run folder: {folder} (watch it: tensorboard --logdir {folder})"
    progress = ProgressBar(config.total_steps, step, updates, heading)
    observer = RunObserver(
        folder,
        logger,
        progress,
        lambda: {**session.state_dict(), "loop": loop.state_dict()},
        session.learner,
        evaluation,
        config.keep_checkpoints,
        None if session.choice is None else ChoiceRecord(folder, session.choice, logger).write,
    )
    loop = session.loop(observer)
    if loop_state:
        loop.load_state_dict(loop_state)
    try:
        with Interruption() as interruption, logging_redirect_tqdm():
            loop.run(config.total_steps, interruption)
    finally:
        progress.close()
        logger.close()
    return Outcome(session.collector.env_steps, interruption.signal_number)
