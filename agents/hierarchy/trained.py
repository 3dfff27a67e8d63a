"""What another run can take from a finished one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.errors import UsageError
from agents.hierarchy.frozen_skills import Origin
from agents.hierarchy.interface import Interface
from agents.learners import ImaginationConfig
from agents.training.assembly import make_world
from agents.training.checkpoint import load_checkpoint
from agents.training.config import TrainConfig
from agents.training.errors import CorruptRunError
from agents.training.run_folder import latest_checkpoint, read_config


@dataclass(frozen=True)
class TrainedAgent:
    """The learner of a run as its newest checkpoint holds it."""

    origin: Origin
    path: Path
    """Folder of the checkpoint."""
    learner: Mapping[str, Any]
    """State of the learner, as `LearnerParts.state_dict` made it."""

    def module(self, name: str) -> dict[str, Any]:
        """State of one network; raises KeyError if there is none of this name."""
        prefix = f"{name}."
        found = {
            key.removeprefix(prefix): value
            for key, value in self.learner["modules"].items()
            if key.startswith(prefix)
        }
        if not found:
            raise KeyError(name)
        return found

    def misfit(self, error: Exception) -> CorruptRunError:
        """To raise where the state is not of the sizes in the settings beside it."""
        return CorruptRunError(f"{self.path} does not belong to the run's settings: {error}")


def trained_agent(folder: Path, flag: str, require: Callable[[TrainConfig], None]) -> TrainedAgent:
    """The agent of the run in `folder`, whose settings `require` accepts.

    Raises UsageError naming the `flag` that asked for it if `require` does, if the folder is not
    that of a run, or if it is damaged.
    """
    try:
        config = read_config(folder)
        require(config)
        path = latest_checkpoint(folder)
        loaded = load_checkpoint(path, ["learner"])
    except UsageError as error:
        raise UsageError(f"{flag} {folder}: {error}") from error
    with closing(make_world(config, 1, config.seed)) as world:
        origin = Origin(str(folder), loaded.step, config, Interface.of(world))
    return TrainedAgent(origin, path, loaded.states["learner"])


def require_acting(config: TrainConfig) -> None:
    """Raise UsageError if the learner of the run chooses among skills or acts on latents."""
    if config.hierarchy.skills is not None:
        raise UsageError(
            f"this run chooses among the skills of {config.hierarchy.skills}; name a run whose "
            "agent acts itself"
        )
    if isinstance(config.learner, ImaginationConfig):
        raise UsageError(
            "this run's agent acts on the latents of its world model, which another task does not "
            "show; name a run on state observations"
        )
