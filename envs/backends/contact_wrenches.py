"""External wrenches on bodies, which MuJoCo's batch leaves out of a step."""

from __future__ import annotations

import mujoco
import numpy as np
from mujoco.batch import Batch


class ContactWrenches:
    """`cfrc_ext` of every world, as mj_rnePostConstraint has it right after a control step.

    A force sensor would make the engine compute it, but Runge-Kutta steps skip sensors in all
    stages but the first, and the contacts that count are those of the last. So the worlds that
    touch something are copied out and finished here; the others have no contact force.

    Args:
        batch: A persistent batch, of a model without connect and weld constraints.

    Raises:
        ValueError: If the batch is not persistent, and so forgets its contacts, or if the model
            has equality constraints whose forces contacts alone would not tell.
    """

    def __init__(self, batch: Batch) -> None:
        if not batch.persistent:
            raise ValueError("contact wrenches need Batch(persistent=True)")
        if batch.model.neq:
            raise ValueError("contact wrenches are not available with equality constraints")
        self._batch = batch
        self._model = batch.model
        self._contacts = batch.bind("ncon")
        self._scratch = mujoco.MjData(self._model)
        self.values = np.zeros((batch.nsim, self._model.nbody, 6))
        """Torque (N m) then force (N) about the subtree's centre of mass, (N, nbody, 6)."""

    def update(self) -> None:
        """Compute `values` from the last physics step of every world."""
        self.values.fill(0.0)
        for world in np.flatnonzero(self._contacts):
            self._batch.get_data(int(world), self._scratch)
            mujoco.mj_rnePostConstraint(self._model, self._scratch)
            self.values[world] = self._scratch.cfrc_ext

    def clear(self, worlds: np.ndarray) -> None:
        """Set the wrenches of freshly reset `worlds` to zero, as Gymnasium has them."""
        self.values[worlds] = 0.0
