"""Where agents act: vectorised MuJoCo worlds behind one contract."""

from __future__ import annotations

from contextlib import suppress

from envs.gl import configure_gl

# MuJoCo reads its choice of OpenGL once, when first imported.
configure_gl()

from envs.gymnasium_registration import register_all  # noqa: E402
from envs.registry import describe_tasks, make_vec, task_options, tasks_with_signals  # noqa: E402

__all__ = ["describe_tasks", "make_vec", "task_options", "tasks_with_signals"]

# `rl-info doctor` must start where a dependency is missing, to say so; make_vec will say so too.
with suppress(ModuleNotFoundError):
    register_all()
