"""What Gymnasium's locomotion tasks share: their model files, initial noise, cost and velocity."""

from __future__ import annotations

from importlib.resources import as_file, files

import mujoco
import numpy as np

from envs.tasks.base import Array, Fields, RandomSource


def load_model(file_name: str, contact_wrenches: bool = False) -> mujoco.MjModel:
    """Compile one of the models that the gymnasium package ships, such as `ant.xml`.

    With `contact_wrenches` every physics step leaves the external wrenches on the bodies in
    `cfrc_ext`, as mj_rnePostConstraint finds them after the step; a reset leaves zeros.

    A total mass asked for by the file is set after compilation: MuJoCo deprecates that attribute,
    and warns on the console and in a log file each time it compiles one.
    """
    with as_file(files("gymnasium.envs.mujoco") / "assets" / file_name) as path:
        spec = mujoco.MjSpec.from_file(str(path))
        total_mass = spec.compiler.settotalmass
        spec.compiler.settotalmass = -1.0
        if contact_wrenches:
            _add_wrench_sensor(spec)
        model = spec.compile()
    if total_mass > 0.0:
        mujoco.mj_setTotalmass(model, total_mass)
        mujoco.mj_setConst(model, mujoco.MjData(model))
    return model


def _add_wrench_sensor(spec: mujoco.MjSpec) -> None:
    """Make the engine run mj_rnePostConstraint at the end of every physics step.

    It does so for acceleration sensors only. A plain one is evaluated at the beginning of a step,
    and not in the later stages of a Runge-Kutta step, where the contacts that count are found. A
    delayed one is evaluated, into its buffer, exactly when the state is advanced.
    """
    spec.add_sensor(
        name="contact_wrenches",
        type=mujoco.mjtSensor.mjSENS_FRAMELINACC,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        objname=spec.worldbody.first_body().name,
        delay=spec.option.timestep,
        nsample=1,
    )


def check_scale(name: str, value: float) -> float:
    """Return `value`; raise ValueError unless it is finite and not negative."""
    if not (np.isfinite(value) and value >= 0.0):
        raise ValueError(f"{name} must be a finite number >= 0, got {value!r}")
    return float(value)


def check_range(name: str, value: tuple[float, float]) -> tuple[float, float]:
    """Return `value` as (low, high); raise ValueError unless low < high."""
    low, high = value
    if not low < high:
        raise ValueError(f"{name} must be (low, high) with low < high, got {value!r}")
    return float(low), float(high)


def perturb_uniform(
    model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource, scale: float
) -> None:
    """Draw qpos, then qvel, uniformly within `scale` of the model's initial state."""
    data.qpos[:] = model.qpos0 + random.uniform(low=-scale, high=scale, size=model.nq)
    data.qvel[:] = random.uniform(low=-scale, high=scale, size=model.nv)


def perturb_normal(
    model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource, scale: float
) -> None:
    """Draw qpos uniformly within `scale` of the initial one, then qvel from N(0, scale²)."""
    data.qpos[:] = model.qpos0 + random.uniform(low=-scale, high=scale, size=model.nq)
    data.qvel[:] = scale * random.standard_normal(model.nv)


def control_cost(action: Array, weight: float) -> Array:
    """Quadratic cost of `action` (N, A), shape (N,), in the action's own precision.

    Gymnasium squares the action it is given, so float32 actions cost what float32 says.
    """
    return weight * (action * action).sum(-1)


def forward_velocity(data: Fields, seconds: float) -> Array:
    """Mean velocity of the root along x during the control step, m/s, shape (N,)."""
    return (data.qpos[:, 0] - data.previous.qpos[:, 0]) / seconds


def inside(values: Array, bounds: tuple[float, float]) -> Array:
    """Whether each value lies strictly between the bounds; NaN does not."""
    low, high = bounds
    return (low < values) & (values < high)
