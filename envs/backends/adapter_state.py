"""Saving and restoring a MuJoCo simulation that someone else steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import mujoco
import numpy as np
from mujoco.batch import DATA_FIELDS, MODEL_FIELDS

Arrays = dict[str, np.ndarray]
CHANGING = MODEL_FIELDS | {"hfield_data"}
"""Model fields that an episode may draw anew; meshes, skins and textures are not among them."""
STATE = mujoco.mjtState.mjSTATE_INTEGRATION


def _arrays(structure: mujoco.MjModel | mujoco.MjData, names: Iterable[str]) -> Arrays:
    """The arrays of numbers among the fields `names` of `structure`, not copied."""
    found = {name: getattr(structure, name, None) for name in sorted(names)}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def copy_model(model: mujoco.MjModel) -> Arrays:
    """Copies of the model's arrays, to tell later what an episode changed in them."""
    return {name: value.copy() for name, value in _arrays(model, CHANGING).items()}


def save_simulation(
    model: mujoco.MjModel, data: mujoco.MjData, pristine: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """State, derived fields and whatever differs from the `pristine` model, as copies."""
    state = np.empty(mujoco.mj_stateSize(model, STATE))
    mujoco.mj_getState(model, data, state, STATE)
    return {
        "state": state,
        "derived": {name: value.copy() for name, value in _arrays(data, DATA_FIELDS).items()},
        "model": {
            name: value.copy()
            for name, value in _arrays(model, CHANGING).items()
            if not np.array_equal(value, pristine[name], equal_nan=value.dtype.kind == "f")
        },
    }


def load_simulation(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    pristine: Mapping[str, np.ndarray],
    saved: Mapping[str, Any],
) -> None:
    """Restore what `save_simulation` saved of an equal model.

    Raises:
        ValueError: if the state is of another model.
    """
    if np.shape(saved["state"]) != (mujoco.mj_stateSize(model, STATE),):
        raise ValueError("the saved simulation is of another model")
    for name, value in _arrays(model, CHANGING).items():
        wanted = saved["model"].get(name, pristine[name])
        if not np.array_equal(value, wanted, equal_nan=value.dtype.kind == "f"):
            value[...] = wanted
    for name, value in _arrays(data, DATA_FIELDS).items():
        if name in saved["derived"]:
            value[...] = saved["derived"][name]
    mujoco.mj_setState(model, data, np.asarray(saved["state"], dtype=np.float64), STATE)
