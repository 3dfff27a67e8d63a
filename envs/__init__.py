"""Where agents act: vectorised MuJoCo worlds behind one contract."""

from __future__ import annotations

from envs.gl import configure_gl

# MuJoCo reads its choice of OpenGL once, when first imported.
configure_gl()

from envs.registry import describe_tasks, make_vec  # noqa: E402

__all__ = ["describe_tasks", "make_vec"]
