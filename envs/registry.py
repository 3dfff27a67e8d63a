"""Making vector worlds by id."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from envs.backends.batch import BatchWorld
    from envs.pixels.settings import PixelSettings
    from envs.tasks.base import Task
    from envs.vector_world import VectorWorld

Backend = Literal["auto", "cpu", "warp"]
BACKENDS: tuple[Backend, ...] = ("auto", "cpu", "warp")


def native_tasks() -> Mapping[str, Callable[..., Task]]:
    """Id to factory of every task with its own array definition."""
    from envs.tasks import TASKS

    return TASKS


def describe_tasks() -> dict[str, str]:
    """Id to one line of description of every native task."""
    return {name: _first_line(factory) for name, factory in sorted(native_tasks().items())}


def make_vec(
    id: str,
    *,
    num_envs: int = 1,
    seed: int | None = None,
    backend: Backend = "auto",
    pixels: bool | PixelSettings = False,
    dtype: Literal["float32", "float64"] = "float32",
    max_episode_steps: int | None = None,
    num_threads: int = 0,
    resets: Literal["pool", "exact"] = "pool",
    **task_options: Any,
) -> VectorWorld:
    """Make N worlds of a task.

    Args:
        id: `dmc/cheetah-run` (domain-task), `gym/HalfCheetah-v5`, or the id of any other
            registered gymnasium env or dm_control task, which an adapter then runs.
        num_envs: Number of worlds N.
        seed: World i is seeded with `seed + i`; None draws seeds from the operating system.
        backend: `cpu` runs native threads; `warp` a GPU; `auto` what this machine has.
        pixels: Observe pictures of a native task: True, or an `envs.pixels.PixelSettings` that says
            how large they are and who draws them.
        dtype: Of observations and signals.
        max_episode_steps: Control steps until truncation; None for the task's own limit.
        num_threads: Native threads; 0 for as many as there are cores. An adapter has none.
        resets: `pool` starts episodes of tasks that have to settle first from a pool of initial
            states; `exact` resets every task as its original does, and so do adapters always.
        **task_options: Keyword options of the task.

    Raises:
        ValueError: for an unknown id (with the nearest right one), a bad option, or a feature
            that is not available.
    """
    if num_envs < 1:
        raise ValueError(f"num_envs must be at least 1, got {num_envs}")
    if max_episode_steps is not None and max_episode_steps < 1:
        raise ValueError(f"max_episode_steps must be at least 1, got {max_episode_steps}")
    if num_threads < 0:
        raise ValueError(f"num_threads must not be negative, got {num_threads}")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    _check_backend(backend)
    factory = native_tasks().get(id)
    if factory is None:
        if pixels:
            raise ValueError(
                f"{id} runs through an adapter, which has no pixel observations: use a native task"
            )
        return _adapt(
            id,
            num_envs=num_envs,
            seed=seed,
            dtype=dtype,
            max_episode_steps=max_episode_steps,
            **task_options,
        )
    make_world = functools.partial(
        _batch_world,
        _make_task(id, factory, task_options),
        id,
        num_envs=num_envs,
        seed=seed,
        dtype=dtype,
        max_episode_steps=max_episode_steps,
        num_threads=num_threads,
        resets=resets,
    )
    if pixels is False:
        return make_world()
    from envs.pixels.world import make_pixel_world

    return make_pixel_world(make_world, pixels)


def _batch_world(*arguments: Any, **options: Any) -> BatchWorld:
    """The CPU backend, which takes a while to import."""
    from envs.backends.batch import BatchWorld

    return BatchWorld(*arguments, **options)


def nearest_id(id: str, candidates: Mapping[str, Any]) -> str:
    """`did you mean ...?` with the most similar ids, ending with where to see all of them."""
    lowered = {name.lower(): name for name in candidates}
    close = difflib.get_close_matches(id.lower(), lowered, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(lowered[name] for name in close)}? " if close else ""
    return f"{hint}`rl-info list envs` shows all"


def _check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")
    if backend == "warp":
        raise ValueError(
            "backend='warp' needs the gpu extra, which is not available yet: use backend='cpu'"
        )


def _adapt(id: str, **options: Any) -> VectorWorld:
    """Any other gymnasium env or dm_control task, in the same contract."""
    from envs.backends.adapter import make_adapter

    return make_adapter(id, **options)


def task_options(id: str) -> tuple[str, ...]:
    """Names of the options of a native task; none for an id that an adapter would run."""
    factory = native_tasks().get(id)
    return () if factory is None else _option_names(factory)


def tasks_with_signals(names: Collection[str]) -> tuple[str, ...]:
    """Ids of the native tasks that have all side signals of these names; builds no world."""
    return tuple(
        id
        for id, factory in sorted(native_tasks().items())
        if set(names) <= set(_described(factory).signal_names)
    )


def _option_names(factory: Callable[..., Task]) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(factory).parameters if name != "self")


def _make_task(id: str, factory: Callable[..., Task], options: Mapping[str, Any]) -> Task:
    accepted = _option_names(factory)
    for name in options:
        if name not in accepted:
            close = difflib.get_close_matches(name, accepted, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            known = ", ".join(accepted) or "none"
            raise ValueError(f"{id} has no option {name!r}: {hint}its options are: {known}")
    return factory(**options)


def _first_line(factory: Callable[..., Task]) -> str:
    return (inspect.getdoc(_described(factory)) or "").partition("\n")[0]


def _described(factory: Callable[..., Task]) -> Any:
    """The task's class behind its factory."""
    return factory.func if isinstance(factory, functools.partial) else factory
