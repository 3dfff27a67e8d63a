"""Pictures of worlds, and what is said where none can be drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

import envs
from envs.errors import RenderingError
from envs.gl import available_backend
from envs.rendering import Renderer
from envs.single_world import SingleWorld

needs_gl = pytest.mark.skipif(available_backend() is None, reason="no off-screen OpenGL library")


@pytest.mark.gl
@needs_gl
def test_pictures_show_the_world_they_are_of() -> None:
    world = envs.make_vec("dmc/cheetah-run", num_envs=2, seed=0, resets="exact")
    world.reset()
    first, second = world.render(0, 48, 64), world.render(1, 48, 64)
    assert (first.shape, first.dtype) == ((48, 64, 3), np.uint8)
    assert first.std() > 10, "an empty picture"
    assert not np.array_equal(first, second)
    larger = world.render(0, 96, 128)
    assert larger.shape == (96, 128, 3)
    np.testing.assert_array_equal(world.render(0, 48, 64), first)
    for _ in range(20):
        world.step(np.ones((2, 6)))
    assert not np.array_equal(world.render(0, 48, 64), first)
    world.close()


@pytest.mark.gl
@needs_gl
def test_pictures_show_model_fields_of_the_world_and_change_nothing() -> None:
    world = envs.make_vec("dmc/reacher-hard", num_envs=2, seed=0, dtype="float64")
    twin = envs.make_vec("dmc/reacher-hard", num_envs=2, seed=0, dtype="float64")
    world.reset()
    twin.reset()
    for action in np.random.default_rng(0).uniform(-1, 1, (5, 2, 2)):
        pictures = [world.render(index, 64, 64) for index in range(2)]
        assert not np.array_equal(*pictures), "targets lie at different places"
        for one, other in zip(world.step(action)[:2], twin.step(action)[:2], strict=True):
            np.testing.assert_array_equal(one, other)
    world.close()


@pytest.mark.gl
@needs_gl
def test_a_renderer_draws_the_model_it_is_given() -> None:
    renderer, pictures = Renderer(), []
    for size in (".1", ".5"):
        xml = f"<mujoco><worldbody><geom size='{size}'/><geom pos='2 0 0' size='.1'/></worldbody>"
        model = mujoco.MjModel.from_xml_string(xml + "</mujoco>")
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        pictures.append(renderer.draw(model, data, 32, 32, -1))
        alone = Renderer()
        np.testing.assert_array_equal(pictures[-1], alone.draw(model, data, 32, 32, -1))
        alone.close()
    renderer.close()
    assert not np.array_equal(*pictures)


@pytest.mark.gl
@needs_gl
def test_single_world_renders_only_when_asked() -> None:
    seen = SingleWorld("dmc/pendulum-swingup", render_mode="rgb_array")
    seen.reset(seed=0)
    picture = seen.render()
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    seen.close()
    assert SingleWorld("dmc/pendulum-swingup").render() is None


@pytest.mark.gl
@needs_gl
def test_leaving_without_close_is_quiet() -> None:
    script = (
        "import envs\n"
        "world = envs.make_vec('dmc/pendulum-swingup', seed=0)\n"
        "world.reset()\n"
        "world.render(0, 32, 32); world.render(0, 48, 48)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("failure", [ImportError, AttributeError, RuntimeError, OSError])
def test_missing_gl_names_the_packages(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def no_renderer(*_: object) -> None:
        raise failure("no library")

    monkeypatch.setattr(mujoco, "Renderer", no_renderer)
    world = envs.make_vec("dmc/pendulum-swingup", seed=0)
    world.reset()
    with pytest.raises(RenderingError, match=r"libegl1 libgl1-mesa-dri.*libosmesa6"):
        world.render()
    world.step(np.zeros((1, 1)))


def test_a_world_that_does_not_exist_cannot_be_drawn() -> None:
    world = envs.make_vec("dmc/pendulum-swingup", num_envs=2)
    with pytest.raises(ValueError, match="world 2 does not exist: there are 2"):
        world.render(2)
