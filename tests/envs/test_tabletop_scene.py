"""The tabletop's physics, observation and signals, against plain MjData and by hand."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import pytest
import torch

import envs
from envs.backends.batch import BatchWorld
from envs.gl import available_backend
from envs.seeding import make_source
from envs.tasks.base import Fields
from envs.tasks.tabletop.limits import PARTS
from envs.tasks.tabletop.model import HALF_BOX, NUM_SUBSTEPS, TABLE_HALF_WIDTH
from envs.tasks.tabletop.scene import SEPARATION, Scene

RANDOM = np.random.default_rng
EXPLORE = "tabletop/explore"


def make(num_envs: int, **options: Any) -> BatchWorld:
    options = {"seed": 0, "dtype": "float64", "max_episode_steps": 10_000} | options
    world = envs.make_vec(EXPLORE, num_envs=num_envs, **options)
    assert isinstance(world, BatchWorld)
    world.reset()
    return world


def eager_actions(steps: int, num_envs: int, size: int, seed: int = 0) -> np.ndarray:
    """Actions that keep their direction for a while and press downwards, so that things happen."""
    actions = RANDOM(seed).normal(0, 0.8, (1 + steps // 8, num_envs, size))
    actions[:, :, 2] -= 0.4
    return np.repeat(np.clip(actions, -1, 1), 8, axis=0)[:steps]


def slow_signals(model: mujoco.MjModel, data: mujoco.MjData, num_objects: int) -> dict[str, Any]:
    """The signals of one world, contact by contact."""
    centers = np.array(
        [data.qpos[model.jnt_qposadr[-num_objects:][k] :][:3] for k in range(num_objects)]
    )
    tip = np.array([data.joint(name).qpos[0] for name in "xyz"])
    fingers = {model.body(f"{side}_finger").id: i for i, side in enumerate(("left", "right"))}
    boxes = {model.body(f"object_{k}").id: k for k in range(num_objects)}
    hand = {model.body("hand").id, *fingers}
    table = model.body("table").id
    touches, push = np.zeros((num_objects, 2)), np.zeros(3)
    for index in range(data.ncon):
        contact = data.contact[index]
        one, other = (int(model.geom_bodyid[geom]) for geom in contact.geom)
        for finger, box in ((one, other), (other, one)):
            if finger in fingers and box in boxes:
                touches[boxes[box], fingers[finger]] = 1
        if table in (one, other) and hand & {one, other}:
            wrench = np.zeros(6)
            mujoco.mj_contactForce(model, data, index, wrench)
            push += (1 if other in hand else -1) * contact.frame.reshape(3, 3).T @ wrench[:3]
    joints = [name for name in ("x", "y", "z", "yaw") if name in names_of_joints(model)]
    near = []
    for name in joints:
        low, high = model.joint(name).range
        margin = 0.07 * (high - low)
        value = data.joint(name).qpos[0]
        near.append(max(low + margin - value, value - high + margin) / margin)
    outside = [-0.18 - tip[0], tip[0] - 0.18, -0.18 - tip[1], tip[1] - 0.18, tip[2] - 0.21]
    load = [
        abs(data.actuator(name).force[0]) / (model.actuator(name).forcerange[1] / 2) - 1
        for name in joints
    ]
    raw = [np.linalg.norm(push) / 20.0, max(near), max(outside) / 0.04, max(load)]
    parts = np.clip(raw, 0, 1)
    return {
        "position": centers[0, :2],
        "object_position": centers.ravel(),
        "gripper_position": tip,
        "gripper_object_distance": [min(np.linalg.norm(centers - tip, axis=1))],
        "violation": [parts.sum()],
        "violation_parts": parts,
        "object_contact": touches.max(axis=1),
        "object_grasp": touches.min(axis=1),
        "object_fallen": centers[:, 2] < -0.05,
    }


def names_of_joints(model: mujoco.MjModel) -> list[str]:
    return [model.joint(index).name for index in range(model.njnt)]


@pytest.mark.parametrize(("num_objects", "yaw"), [(1, False), (3, True)])
def test_signals_and_observation_are_those_of_plain_simulation(num_objects: int, yaw: bool) -> None:
    num, seen = 4, []
    world = make(num, num_objects=num_objects, yaw=yaw)
    model = world.task.model
    every = [mujoco.MjData(model) for _ in range(num)]
    # A box between the fingers of the first world, so that it is grasped.
    world._fields.qpos[0, :3] = world._fields.qpos[0, 5 + yaw : 8 + yaw]
    world._fields.act[0, :3] = world._fields.qpos[0, :3] / 0.5
    for row, data in zip(world.state_dict()["simulations"]["state"], every, strict=True):
        mujoco.mj_setState(model, data, row, mujoco.mjtState.mjSTATE_INTEGRATION)
    actions = eager_actions(100, num, 4 + yaw)
    actions[:10, 0] = [0.0] * (3 + yaw) + [-1.0]
    for action in actions:
        obs, _, _, _, info = world.step(action)
        for index, data in enumerate(every):
            data.ctrl[:] = action[index]
            mujoco.mj_step(model, data, NUM_SUBSTEPS)
            slow = slow_signals(model, data, num_objects)
            assert list(slow) == list(info["signals"])
            for name, value in slow.items():
                np.testing.assert_allclose(info["signals"][name][index], value, atol=1e-9)
            np.testing.assert_allclose(obs[index], slow_observation(model, data), atol=1e-9)
            seen.append([*slow["violation_parts"], slow["object_grasp"].max()])
    assert (np.max(seen, axis=0) > 0).all(), "a test of signals that never appear proves nothing"


def slow_observation(model: mujoco.MjModel, data: mujoco.MjData) -> list[float]:
    """The observation of one world, from bodies and joints by name."""
    moved = mujoco.MjData(model)
    moved.qpos[:] = data.qpos
    mujoco.mj_kinematics(model, moved)
    arm = [name for name in ("x", "y", "z", "yaw") if name in names_of_joints(model)]
    speeds = {"x": 0.5, "y": 0.5, "z": 0.5, "yaw": 2.0}
    row = [data.joint(name).qpos[0] for name in arm]
    row += [data.joint(name).qvel[0] for name in arm]
    row += [data.act[i] * speeds[name] - data.joint(name).qpos[0] for i, name in enumerate(arm)]
    row += [2 * data.joint("left_finger").qpos[0], 2 * data.joint("left_finger").qvel[0]]
    for box in range(model.nbody):
        if model.body(box).name.startswith("object_"):
            rotation = moved.xmat[box].reshape(3, 3)
            twist = model.body_dofadr[box]
            row += [*moved.xpos[box], *rotation[:, 0], *rotation[:, 1]]
            row += [*data.qvel[twist : twist + 6], *(moved.xpos[box] - moved.body("hand").xpos)]
    return row


def test_compiled_passes_equal_the_array_functions_in_numpy_and_torch() -> None:
    for task_id in ("tabletop/explore", "tabletop/push", "tabletop/lift", "tabletop/stack"):
        world = envs.make_vec(task_id, num_envs=8, seed=0, dtype="float64", num_objects=2)
        assert isinstance(world, BatchWorld)
        world.reset()
        task: Any = world.task
        scene = task._scene if task_id == EXPLORE else task.scene
        for action in eager_actions(60, 8, 4):
            obs, reward, terminated, _, info = world.step(action)
        fields = world._fields
        tensors = Fields(
            **{k: torch.tensor(v) for k, v in vars(fields).items() if isinstance(v, np.ndarray)}
        )
        # The reward of the same state, as an array function of tensors.
        out, paid = torch.full(obs.shape, np.nan, dtype=torch.float64), torch.empty(8).double()
        ends = torch.empty(8, dtype=torch.bool)
        task.observe(tensors, out)
        task.reward(tensors, torch.tensor(action), paid)
        task.terminated(tensors, ends)
        np.testing.assert_allclose(out.numpy(), obs, rtol=0, atol=1e-14)
        np.testing.assert_allclose(paid.numpy(), reward, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(ends.numpy(), terminated)
        for name, value in task.signals(tensors).items():
            assert isinstance(value, torch.Tensor)
            np.testing.assert_allclose(value.numpy(), info["signals"][name], rtol=0, atol=1e-13)
        for name, value in scene.signal_arrays(fields).items():
            np.testing.assert_allclose(value, info["signals"][name], rtol=0, atol=1e-13)


def test_an_idle_robot_violates_nothing_and_stays() -> None:
    world = make(4, num_objects=3)
    _, info = world.reset()
    start = info["signals"]
    for _ in range(40):
        info = world.step(np.zeros((4, 4)))[4]
        np.testing.assert_array_equal(info["signals"]["violation"], 0)
    for name in ("object_position", "gripper_position"):
        np.testing.assert_allclose(info["signals"][name], start[name], atol=2e-4)


PRESSES = {
    "table": [0.0, 0.0, -1.0, -1.0],
    "joints": [0.0, 1.0, 0.0, -1.0],
    "workspace": [-1.0, 0.0, 0.0, -1.0],
    "force": [0.0, 0.0, 1.0, -1.0],
}


@pytest.mark.parametrize("part", PARTS)
def test_pressing_against_a_limit_is_a_violation(part: str) -> None:
    world = make(2)
    world._fields.qpos[:, 5:8] = 0.1, 0.1, HALF_BOX
    world._fields.qpos[:, :3] = 0.0, 0.0, 0.1
    world._fields.act[:, :3] = 0.0, 0.0, 0.2
    for _ in range(25):
        info = world.step(np.tile(PRESSES[part], (2, 1)))[4]
    parts = info["signals"]["violation_parts"]
    assert (parts[:, PARTS.index(part)] > 0.3).all()
    np.testing.assert_allclose(info["signals"]["violation"][:, 0], parts.sum(axis=1))


def test_violations_by_hand() -> None:
    scene = Scene(1, yaw=False, rim=True)
    data = Fields(
        qpos=np.zeros((5, scene.model.nq)),
        sensordata=np.zeros((5, scene.model.nsensordata)),
        actuator_force=np.zeros((5, 4)),
    )
    data.qpos[:, 2] = 0.1
    data.sensordata[1, scene.limits.table_force] = 6.0, 0.0, -8.0
    data.qpos[2, 0] = 0.2
    data.actuator_force[3, 1] = -45.0
    data.qpos[4, 2] = 0.26
    expected = np.zeros((5, 4))
    expected[1, 0] = 0.5
    # 20 mm outside of 40; and 10.8 mm into the last 30.8 before the limit at 220.
    expected[2, 1:3] = (0.0308 - 0.02) / 0.0308, 0.5
    expected[3, 3] = 0.5
    expected[4, 1:3] = 1.0
    np.testing.assert_allclose(scene.limits.parts(data), expected, atol=1e-12)
    np.testing.assert_allclose(scene.signals(data)["violation_parts"], expected, atol=1e-12)


@pytest.mark.parametrize(("rim", "steps"), [(True, 250), (False, 60)])
def test_ten_thousand_wild_steps_break_nothing(rim: bool, steps: int) -> None:
    num = 40
    world = make(num, num_objects=2, yaw=True, rim=rim, terminate_when_fallen=False)
    sources = RANDOM(1)
    wild = np.sign(sources.uniform(-1, 1, (steps, num, 5)))
    eager = eager_actions(steps, num, 5)
    actions = np.where(np.arange(num)[:, None] % 2 == 0, wild, eager)
    lowest = np.inf
    for action in actions:
        obs, _, _, _, info = world.step(action)
        assert np.isfinite(obs).all()
        boxes = info["signals"]["object_position"].reshape(num, 2, 3)
        # A box is below the surface only where it has gone over the edge.
        over_table = (np.abs(boxes[:, :, :2]) < TABLE_HALF_WIDTH - 0.01).all(axis=2)
        fallen = info["signals"]["object_fallen"].astype(bool)
        if (over_table & ~fallen).any():
            lowest = min(lowest, boxes[:, :, 2][over_table & ~fallen].min())
        assert boxes[:, :, 2].min() > -0.4, "the floor holds"
        assert (np.abs(info["signals"]["gripper_position"][:, :2]) < 0.23).all()
    assert 0.015 < lowest < HALF_BOX


@pytest.mark.parametrize("ends", [True, False])
def test_a_box_that_leaves_the_table_ends_the_episode_if_wanted(ends: bool) -> None:
    world = make(3, terminate_when_fallen=ends, rim=False)
    world._fields.qpos[1, 5:8] = 0.4, 0.0, 0.05
    # From 0.05 m it falls 0.1 m in 0.143 s, which is nearly three control steps.
    for falls in (False, False, True):
        _, _, terminated, truncated, info = world.step(np.zeros((3, 4)))
        np.testing.assert_array_equal(terminated, [False, ends and falls, False])
        assert not truncated.any()
        last = info.get("final_signals", info["signals"])
        np.testing.assert_array_equal(last["object_fallen"][:, 0], [0, falls, 0])


def test_boxes_begin_apart_and_anywhere() -> None:
    scene = Scene(6, yaw=False, rim=True)
    data = mujoco.MjData(scene.model)
    source, centers = make_source("generator", 0), []
    for _ in range(100):
        mujoco.mj_resetData(scene.model, data)
        scene.reset(data, source)
        mujoco.mj_forward(scene.model, data)
        poses = data.qpos[5:].reshape(6, 7)
        np.testing.assert_allclose(np.linalg.norm(poses[:, 3:], axis=1), 1, rtol=1e-12)
        gaps = np.linalg.norm(poses[:, None, :2] - poses[None, :, :2], axis=-1)
        assert gaps[~np.eye(6, dtype=bool)].min() >= SEPARATION
        centers.append(poses[:, :2].copy())
    assert np.abs(centers).max() <= 0.12
    quarters = np.histogram2d(*np.concatenate(centers).T, bins=2, range=[[-0.12, 0.12]] * 2)[0]
    assert quarters.min() > 110, "600 places, a quarter of them in each quarter"


def test_a_world_is_the_same_alone_or_among_32_on_any_threads() -> None:
    actions = eager_actions(40, 32, 4)
    crowd, threaded = make(32, num_threads=1), make(32, num_threads=3)
    alone = make(1, seed=31, num_threads=1)
    for action in actions:
        expected = crowd.step(action)
        for world, rows, chosen in ((threaded, slice(None), slice(None)), (alone, [31], [31])):
            result = world.step(action[rows])
            np.testing.assert_array_equal(result[0], expected[0][chosen])
            for name, value in result[4]["signals"].items():
                np.testing.assert_array_equal(value, expected[4]["signals"][name][chosen])


def test_each_action_moves_its_own_axis_as_far_as_it_says() -> None:
    world = make(5, yaw=True)
    start = world._fields.qpos[:, :6].copy()
    for count in range(14):
        action = 0.4 * np.eye(5) if count < 4 else np.zeros((5, 5))
        world.step(action)
    moved = world._fields.qpos[:, :6] - start
    np.testing.assert_allclose(moved[:4, :4], np.diag([0.04, 0.04, 0.04, 0.16]), atol=2e-3)
    np.testing.assert_allclose(moved[:4, 4:], 0, atol=1e-4)
    np.testing.assert_allclose(moved[4, :4], 0, atol=1e-4)
    world.step(np.eye(5))
    for _ in range(10):
        world.step(np.eye(5)[[4] * 5])
    np.testing.assert_allclose(world._fields.qpos[:, 4:6], 0.04, atol=1e-3)


def test_the_model_keeps_to_what_ray_casters_and_gpus_can_do() -> None:
    model = Scene(6, yaw=True, rim=True, goal=True, marker=True).model
    assert (model.nmesh, model.nplugin, model.nhfield, model.nflex) == (0, 0, 0, 0)
    assert model.opt.noslip_iterations == 0
    assert model.opt.solver == mujoco.mjtSolver.mjSOL_NEWTON
    kinds = {"PLANE", "SPHERE", "CAPSULE", "BOX"}
    assert {mujoco.mjtGeom(kind).name.removeprefix("mjGEOM_") for kind in model.geom_type} <= kinds


@pytest.mark.gl
@pytest.mark.skipif(available_backend() is None, reason="no off-screen OpenGL library")
def test_a_picture_shows_boxes_and_the_goal() -> None:
    world = envs.make_vec("tabletop/push", num_envs=1, seed=0)
    world.reset()
    picture = world.render(0, 120, 160).astype(int)
    red, green, blue = picture.transpose(2, 0, 1)
    assert 20 < ((red > 2 * green) & (red > 2 * blue)).sum() < 1000, "the first box is red"
    assert 5 < ((green > 1.3 * red) & (green > 1.2 * blue)).sum() < 200, "the goal is green"
    world.close()


def test_every_signal_is_documented() -> None:
    documented = Scene.signals.__doc__ or ""
    for name in make(1).signal_dims:
        assert f"`{name}`" in documented
