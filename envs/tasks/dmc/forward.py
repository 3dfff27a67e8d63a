"""Derived fields of a state that no action has touched yet."""

from __future__ import annotations

import mujoco

DISABLE_ACTUATION = mujoco.mjtDisableBit.mjDSBL_ACTUATION


def forward_without_actuation(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Compute every derived field of `data` as if there were no actuators.

    Also warm-starts the constraint solver of the next step, just as the suite's resets do, so that
    initial states found by trial and error lead to the same bits. `model` is left as it was.
    """
    flags = model.opt.disableflags
    model.opt.disableflags = flags | DISABLE_ACTUATION
    try:
        mujoco.mj_forward(model, data)
    finally:
        model.opt.disableflags = flags
