"""From an id to the recipe of a world."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium

from envs.backends.adapter_dm_control import DMControlRecipe, import_suite
from envs.backends.adapter_gymnasium import GymnasiumRecipe
from envs.backends.adapter_world import Recipe
from envs.gymnasium_registration import NAMESPACE
from envs.registry import native_tasks, nearest_id

EnvFactory = Callable[[], gymnasium.Env[Any, Any]]


def find_recipe(
    spec_id: str,
    env_factory: EnvFactory | None,
    options: Mapping[str, Any],
    max_episode_steps: int | None,
) -> Recipe:
    """The recipe of `spec_id`, or of `env_factory` if there is one.

    Raises:
        ValueError: for an unknown id, with the nearest right one.
    """
    if env_factory is not None:
        if options:
            raise ValueError(f"options {list(options)} have no effect on an env_factory")
        return GymnasiumRecipe(spec_id, env_factory, {}, max_episode_steps)
    family, _, name = spec_id.partition("/")
    if family not in _FAMILIES or not name:
        families = dict.fromkeys(known.partition("/")[0] for known in known_ids())
        raise ValueError(
            f"unknown env {spec_id!r}: ids begin with "
            f"{' or '.join(f'{known}/' for known in families)}; {nearest_id(spec_id, known_ids())}"
        )
    return _FAMILIES[family](spec_id, name, options, max_episode_steps)


def known_ids() -> dict[str, None]:
    """Every id that an adapter or a native task may run, whether or not its spaces suit."""
    suite = [f"dmc/{domain}-{task}" for domain, task in import_suite().ALL_TASKS]
    ours = f"{NAMESPACE}/"
    registered = [f"gym/{name}" for name in gymnasium.registry if not name.startswith(ours)]
    return dict.fromkeys([*suite, *registered, *native_tasks()])


def _gymnasium_recipe(
    spec_id: str, name: str, options: Mapping[str, Any], max_episode_steps: int | None
) -> GymnasiumRecipe:
    module, _, registered = name.rpartition(":")
    if module:
        _import_registrations(spec_id, module)
    try:
        spec = gymnasium.spec(registered)
    except gymnasium.error.Error as error:
        hint = nearest_id(f"gym/{registered}", known_ids())
        raise ValueError(f"unknown env {spec_id!r} ({error}); {hint}") from error
    return GymnasiumRecipe(spec_id, spec, dict(options), max_episode_steps)


def _import_registrations(spec_id: str, module: str) -> None:
    """Import the user's module, which registers its envs in passing."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ValueError(
            f"{spec_id!r} names the module {module!r}, which cannot be found: install it, or set "
            "PYTHONPATH to the directory that holds it"
        ) from error


def _dm_control_recipe(
    spec_id: str, name: str, options: Mapping[str, Any], max_episode_steps: int | None
) -> DMControlRecipe:
    domain, _, task = name.partition("-")
    if (domain, task) not in import_suite().ALL_TASKS:
        raise ValueError(f"unknown env {spec_id!r}; {nearest_id(spec_id, known_ids())}")
    return DMControlRecipe(spec_id, domain, task, dict(options), max_episode_steps)


_FAMILIES: Mapping[str, Callable[[str, str, Mapping[str, Any], int | None], Recipe]] = {
    "dmc": _dm_control_recipe,
    "gym": _gymnasium_recipe,
}
