"""What the suite builds or draws by code: models, joint positions, resets among contacts."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from dm_control import mujoco as dm_mujoco
from dm_control import suite
from dm_control.suite.utils import randomizers

from envs.tasks import TASKS
from envs.tasks.dmc.frames import to_local
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.quadruped import Quadruped
from envs.tasks.dmc.swimmer import Swimmer

BUILT = ["quadruped-walk", "quadruped-run", "swimmer-swimmer6", "swimmer-swimmer15"]
EVERY_KIND_OF_JOINT = """
<mujoco>
  <worldbody>
    <body><freejoint name="j0"/><geom size=".1"/></body>
    <body pos="1 0 0"><joint name="j1" type="ball"/><geom size=".1"/></body>
    <body pos="2 0 0"><joint name="j2" type="ball" range="0 40"/><geom size=".1"/></body>
    <body pos="3 0 0"><joint name="j3" type="hinge"/><geom size=".1"/></body>
    <body pos="4 0 0"><joint name="j4" type="hinge" range="-30 10"/><geom size=".1"/></body>
    <body pos="5 0 0"><joint name="j5" type="slide"/><geom size=".1"/></body>
    <body pos="6 0 0"><joint name="j6" type="slide" range="-1 3"/><geom size=".1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize("name", BUILT)
def test_built_models_are_the_suites_to_the_bit(name: str) -> None:
    domain, task = name.split("-")
    expected = suite.load(domain, task).physics.model.ptr
    model = TASKS[f"dmc/{name}"]().model
    arrays = [field for field in dir(model) if isinstance(getattr(model, field), np.ndarray)]
    assert {"body_mass", "geom_size", "cam_pos", "sensor_type"} <= set(arrays)
    for field in arrays:
        np.testing.assert_array_equal(
            getattr(model, field), getattr(expected, field), err_msg=field
        )
    assert model.opt.timestep == expected.opt.timestep


def test_joints_of_every_kind_are_drawn_as_the_suite_draws_them() -> None:
    physics = dm_mujoco.Physics.from_xml_string(EVERY_KIND_OF_JOINT)
    model = mujoco.MjModel.from_xml_string(EVERY_KIND_OF_JOINT)
    data = mujoco.MjData(model)
    theirs, ours = np.random.RandomState(3), np.random.RandomState(3)
    for _ in range(20):
        randomizers.randomize_limited_and_rotational_joints(physics, theirs)
        randomize_joints(model, data, ours)
        np.testing.assert_array_equal(data.qpos, physics.data.qpos)


def test_local_vectors_have_the_bits_of_one_product_each() -> None:
    random = np.random.default_rng(0)
    vectors, frames = random.standard_normal((500, 3)), random.standard_normal((500, 4, 9))
    expected = [vectors[i].dot(frames[i, 2].reshape(3, 3)) for i in range(len(vectors))]
    np.testing.assert_array_equal(to_local(vectors, frames[:, 2]), expected)
    tensors = torch.tensor(vectors), torch.tensor(frames[:, 2])
    np.testing.assert_allclose(to_local(*tensors).numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("task_id", ["dmc/quadruped-walk", "dmc/humanoid-walk"])
def test_resets_end_free_of_contacts(task_id: str) -> None:
    task, random = TASKS[task_id](), np.random.RandomState(11)
    data = mujoco.MjData(task.model)
    for _ in range(20):
        mujoco.mj_resetData(task.model, data)
        task.reset(task.model, data, random)
        mujoco.mj_forward(task.model, data)
        assert data.ncon == 0


def test_a_quadruped_that_always_touches_itself_is_an_error() -> None:
    task = Quadruped(speed=0.5)
    data = mujoco.MjData(task.model)
    task.model.opt.o_margin = 1e3
    task.model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_OVERRIDE
    with pytest.raises(RuntimeError, match="no height is free of contacts"):
        task.reset(task.model, data, np.random.RandomState(0))


def test_a_swimmer_of_two_links_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 links, got 2"):
        Swimmer(links=2)
