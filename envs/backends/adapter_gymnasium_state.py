"""Saving and restoring the state of a gymnasium env, where it is known what the state is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from envs.backends.adapter_state import copy_model, load_simulation, save_simulation
from envs.seeding import restore_source, source_state

MUJOCO_PACKAGE = "gymnasium.envs.mujoco."
CLASSIC_PACKAGE = "gymnasium.envs.classic_control."


def save_env_state(env: gymnasium.Env[Any, Any], spec_id: str) -> dict[str, Any]:
    """All that changes in `env`, as copies.

    An env's own `state_dict()` comes first; of gymnasium's MuJoCo and classic-control envs the
    adapter knows what the state is.

    Raises:
        NotImplementedError: for any other env.
    """
    inner: Any = env.unwrapped
    if hasattr(inner, "state_dict") and hasattr(inner, "load_state_dict"):
        return {"own": inner.state_dict()}
    module = type(inner).__module__ + "."
    if module.startswith(MUJOCO_PACKAGE):
        # None of these envs writes to its model, so it is its own pristine copy.
        simulation = save_simulation(inner.model, inner.data, copy_model(inner.model))
        return {"simulation": simulation, "random": source_state(inner.np_random)}
    if module.startswith(CLASSIC_PACKAGE):
        return {"classic": np.array(inner.state), "random": source_state(inner.np_random)}
    raise NotImplementedError(
        f"{spec_id} does not say what its state is: give {type(inner).__name__} the methods "
        "state_dict() and load_state_dict(state), or resume with new episodes"
    )


def load_env_state(env: gymnasium.Env[Any, Any], spec_id: str, state: Mapping[str, Any]) -> None:
    """Restore what `save_env_state` saved of an env of the same id.

    Raises:
        ValueError: if the state is of another kind of env.
    """
    inner: Any = env.unwrapped
    if "own" in state:
        inner.load_state_dict(state["own"])
        return
    if "simulation" in state and hasattr(inner, "model"):
        load_simulation(inner.model, inner.data, copy_model(inner.model), state["simulation"])
    elif "classic" in state:
        inner.state = np.array(state["classic"])
    else:
        raise ValueError(f"the saved state is not of {spec_id}")
    restore_source(inner.np_random, state["random"])
