"""Every native task by id: one import and one line a domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envs.tasks.base import Task
from envs.tasks.dmc import cheetah

TASKS: Mapping[str, Callable[..., Task]] = {
    **cheetah.TASKS,
}
"""Task id, such as `dmc/cheetah-run`, to a factory that accepts the task's keyword options."""
