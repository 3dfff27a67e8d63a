"""Compiling models that others wrote, without their known warnings on every start."""

from __future__ import annotations

import logging
from collections.abc import Callable

import mujoco

LOGGER = logging.getLogger(__name__)


def compile_quietly(compile_model: Callable[[], mujoco.MjModel]) -> mujoco.MjModel:
    """Call `compile_model`, sending MuJoCo's warnings to this module's logger at debug level.

    The suite's and Gymnasium's models use attributes that MuJoCo has deprecated. It would say so
    on the terminal and in a file MUJOCO_LOG.TXT in the working directory, each time.
    """
    previous = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(LOGGER.debug)
    try:
        return compile_model()
    finally:
        mujoco.set_mju_user_warning(previous)
