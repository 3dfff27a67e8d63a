"""The ray-caster against OpenGL, and OpenGL against dm_control."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from dm_control import suite

from envs.errors import RenderingError
from envs.gl import available_backend
from envs.pixels import make_renderer, stack_fields
from envs.registry import native_tasks

pytestmark = pytest.mark.gl
needs_gl = pytest.mark.skipif(available_backend() is None, reason="no off-screen OpenGL library")
MOST_DIFFERENCE = 4.0
"""Mean absolute difference of colours, of 255."""


def random_poses(model: mujoco.MjModel, count: int) -> list[mujoco.MjData]:
    rng, poses = np.random.default_rng(0), []
    for _ in range(count):
        data = mujoco.MjData(model)
        data.qpos += rng.normal(0, 0.15, model.nq)
        mujoco.mj_forward(model, data)
        poses.append(data)
    return poses


@needs_gl
@pytest.mark.parametrize("task_id", sorted(native_tasks()))
def test_silhouettes_and_colours_are_those_of_opengl(task_id: str) -> None:
    model = native_tasks()[task_id]().model
    exact, rays = make_renderer("exact", model), make_renderer("numba", model)
    poses = random_poses(model, 3)
    drawn, cast = stack_fields(poses, exact.fields), stack_fields(poses, rays.fields)
    theirs, ours = exact.segment(drawn), rays.segment(cast)
    floor = np.isin(np.arange(model.ngeom), np.flatnonzero(model.geom_type == 0))
    for kind in (lambda mask: mask >= 0, lambda mask: ~np.isin(mask, [-1, *np.flatnonzero(floor)])):
        one, other = kind(theirs), kind(ours)
        union = (one | other).sum()
        assert union == 0 or (one & other).sum() / union >= 0.97
    assert (theirs == ours).mean() >= 0.995
    difference = np.abs(exact.render(drawn).astype(int) - rays.render(cast))
    assert difference.mean() < MOST_DIFFERENCE
    exact.close()


@needs_gl
@pytest.mark.parametrize("name", ["cheetah-run", "ball_in_cup-catch"])
def test_exact_draws_the_pixels_of_dm_control(name: str) -> None:
    env = suite.load(*name.split("-"), task_kwargs={"random": 0})
    env.reset()
    model, data = env.physics.model.ptr, env.physics.data.ptr
    # Before another context takes OpenGL away from dm_control's.
    pictures = [env.physics.render(84, 84, camera_id=camera) for camera in (0, 1)]
    for camera, theirs in enumerate(pictures):
        renderer = make_renderer("exact", model, 84, 84, camera)
        ours = renderer.render(stack_fields([data], renderer.fields))[0]
        np.testing.assert_array_equal(ours, theirs)
        renderer.close()


@pytest.mark.parametrize("name", ["gl", "exact"])
def test_missing_gl_names_the_packages_and_the_renderer_without(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def no_renderer(*_: object) -> None:
        raise ImportError("no library")

    model = native_tasks()["dmc/pendulum-swingup"]().model
    renderer = make_renderer(name, model)
    fields = stack_fields(random_poses(model, 1), renderer.fields)
    monkeypatch.setattr(mujoco, "Renderer", no_renderer)
    with pytest.raises(RenderingError, match=r"libegl1 libgl1-mesa-dri.*renderer='numba'"):
        renderer.render(fields)
