"""Native tasks under gymnasium's own names.

After `import envs`, `gymnasium.make_vec("rl_info/dmc-cheetah-run")` and `gymnasium.make` know them;
`gymnasium.make("envs:rl_info/dmc-cheetah-run")` does without the import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envs.registry import make_vec, native_tasks

if TYPE_CHECKING:
    from envs.single_world import SingleWorld
    from envs.vector_world import VectorWorld

NAMESPACE = "rl_info"


def gymnasium_id(task_id: str) -> str:
    """`rl_info/dmc-cheetah-run` for `dmc/cheetah-run`."""
    return f"{NAMESPACE}/{task_id.replace('/', '-', 1)}"


def register_all() -> None:
    """Register every native task, as `import envs` does."""
    from gymnasium.envs.registration import register, registry

    for task_id in native_tasks():
        if gymnasium_id(task_id) not in registry:
            register(
                gymnasium_id(task_id),
                entry_point="envs.gymnasium_registration:make_single",
                vector_entry_point="envs.gymnasium_registration:make_vector",
                kwargs={"task_id": task_id},
            )


def make_single(task_id: str, render_mode: str | None = None, **options: Any) -> SingleWorld:
    """Entry point of `gymnasium.make`."""
    from envs.single_world import SingleWorld

    return SingleWorld(task_id, render_mode, **options)


def make_vector(
    task_id: str, num_envs: int = 1, render_mode: str | None = None, **options: Any
) -> VectorWorld:
    """Entry point of `gymnasium.make_vec`."""
    world = make_vec(task_id, num_envs=num_envs, **options)
    world.render_mode = render_mode
    return world
