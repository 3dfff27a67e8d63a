"""N simulations of one task's model, with the fields that the task reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Int
from mujoco.batch import Batch, SimulationError

from envs.backends.initial_states import InitialState
from envs.backends.kernels import differs
from envs.errors import PhysicsError
from envs.tasks.base import Fields, Task

ALWAYS_BOUND = ("ctrl", "time")

# After a control step the suite's derived fields are current, Gymnasium's are as mj_step left them.
STAGES = {"current": mujoco.mjtStage.mjSTAGE_VEL, "lagged": mujoco.mjtStage.mjSTAGE_NONE}


class Simulations:
    """MuJoCo's batch of N worlds on native threads, stepped as the task's original steps.

    Args:
        task: Names the model, the fields and the number of physics steps in a control step.
        num_worlds: N.
        num_threads: Native threads, this one included.
        extra_fields: MjData fields to bind beside the task's.
    """

    def __init__(
        self, task: Task, num_worlds: int, num_threads: int, extra_fields: Sequence[str] = ()
    ) -> None:
        self.num_worlds = num_worlds
        self._num_substeps = task.num_substeps
        self._stage = int(STAGES[task.derived])
        # A world with MjData of its own continues from the stages that end a step, for free;
        # where none end it, worlds that share MjData fit the processor's cache better.
        persistent = task.derived == "current"
        self._batch = Batch(task.model, num_worlds, num_threads, persistent)
        self._state: Float[np.ndarray, "N S"] = self._batch.state
        self._warnings = self._batch.warning
        self._known_warnings = self._warnings.copy()
        self._step_count = 0
        self.fields = Fields()
        self._outputs: dict[str, np.ndarray] = {}
        self._bind_fields((*task.fields, *task.previous_fields, *ALWAYS_BOUND, *extra_fields))
        self._model_fields = {name: self._batch.expand(name) for name in task.model_fields}
        vars(self.fields).update(self._model_fields)
        self._previous = [
            (getattr(self.fields, name), np.array(getattr(self.fields, name)))
            for name in task.previous_fields
        ]
        copies = {
            name: copy for name, (_, copy) in zip(task.previous_fields, self._previous, strict=True)
        }
        self.fields.previous = SimpleNamespace(**copies)

    def _bind_fields(self, names: Sequence[str]) -> None:
        for name in dict.fromkeys(names):
            view = self._batch.bind(name)
            if not np.may_share_memory(view, self._state):
                # The next call overwrites outputs anyway; a reset writes its own until then.
                view.flags.writeable = True
                self._outputs[name] = view
            setattr(self.fields, name, view)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Derived fields that a reset must supply."""
        return tuple(self._outputs)

    def step(self, action: Float[np.ndarray, "N A"]) -> None:
        """Take one control step in every world.

        Raises:
            PhysicsError: if MuJoCo fails or warns, naming the worlds.
        """
        for source, copy in self._previous:
            np.copyto(copy, source)
        self.fields.ctrl[...] = action
        self._step_count += 1
        try:
            self._batch.step(None, self._num_substeps, self._stage)
        except SimulationError as error:
            # Warnings of this step are part of this failure, not news for the next one.
            np.copyto(self._known_warnings, self._warnings)
            raise PhysicsError(error.ids, self._step_count, str(error)) from error
        if differs(self._warnings, self._known_warnings):
            self._report_warnings()

    def _report_warnings(self) -> None:
        changed = (self._warnings != self._known_warnings).any(axis=-1)
        np.copyto(self._known_warnings, self._warnings)
        kinds = [mujoco.mjtWarning(int(kind)).name for kind in np.flatnonzero(changed.any(axis=0))]
        worlds = np.flatnonzero(changed.any(axis=1))
        raise PhysicsError(worlds.tolist(), self._step_count, ", ".join(kinds))

    def place(self, world: int, initial: InitialState) -> None:
        """Put `world` into an initial state; its derived fields are current at once."""
        self._state[world] = initial.row
        for name, value in initial.outputs.items():
            self._outputs[name][world] = value
        for name, value in initial.model_fields.items():
            self._model_fields[name][world] = value

    def select(self, worlds: Int[np.ndarray, "M"]) -> Fields:
        """The fields of M of the worlds, as copies."""
        chosen = Fields(
            **{
                name: view[worlds]
                for name, view in vars(self.fields).items()
                if isinstance(view, np.ndarray)
            }
        )
        previous = vars(self.fields.previous).items()
        chosen.previous = SimpleNamespace(**{name: copy[worlds] for name, copy in previous})
        return chosen

    def export(
        self, world: int, model: mujoco.MjModel | None, data: mujoco.MjData | None
    ) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """One world's model and forwarded data, written into `model` and `data` where given."""
        model = self._batch.get_model(world, model)
        data = self._batch.get_data(world, data)
        mujoco.mj_forward(model, data)
        return model, data

    def copy_from(self, source: Simulations, worlds: Int[np.ndarray, "N"]) -> None:
        """Let simulation i go on where simulation `worlds[i]` of `source`, of one task, is now."""
        self._state[...] = source._state[worlds]
        for name, view in self._outputs.items():
            view[...] = source._outputs[name][worlds]
        for name, view in self._model_fields.items():
            view[...] = source._model_fields[name][worlds]

    def state_dict(self) -> dict[str, Any]:
        """Copies of everything the next step depends on."""
        return {
            "state": self._state.copy(),
            "outputs": {name: view.copy() for name, view in self._outputs.items()},
            "model_fields": {name: view.copy() for name, view in self._model_fields.items()},
            "step_count": self._step_count,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` copied.

        Raises:
            ValueError: if the shapes or fields are those of another task or number of worlds;
                nothing is written then.
        """
        groups = ("outputs", self._outputs), ("model_fields", self._model_fields)
        pairs = [({"state": self._state}, {"state": state["state"]})]
        pairs += [(targets, state[name]) for name, targets in groups]
        for targets, values in pairs:
            _check_all(targets, values)
        for targets, values in pairs:
            for name, target in targets.items():
                target[...] = values[name]
        self._step_count = int(state["step_count"])


def _check_all(targets: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
    """Raise ValueError unless all names and shapes agree."""
    if sorted(targets) != sorted(values):
        raise ValueError(
            f"saved fields {sorted(values)} are not those of the task: {sorted(targets)}"
        )
    for name, target in targets.items():
        if np.shape(values[name]) != target.shape:
            raise ValueError(
                f"saved {name} has shape {np.shape(values[name])}, expected {target.shape}"
            )
