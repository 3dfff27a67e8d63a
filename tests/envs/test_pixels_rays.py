"""Rays against closed forms and against MuJoCo's own."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest

from envs.pixels import make_renderer, stack_fields
from envs.pixels.numba_renderer import NumbaRenderer

SHAPES = {
    "sphere": "size='.3'",
    "capsule": "size='.15 .3'",
    "ellipsoid": "size='.4 .2 .1'",
    "cylinder": "size='.2 .3'",
    "box": "size='.3 .2 .1'",
}


def simulate(body: str, camera: str = "pos='0 0 3' fovy='45'", asset: str = "") -> mujoco.MjData:
    xml = f"<mujoco><asset>{asset}</asset><worldbody><camera {camera}/>{body}</worldbody></mujoco>"
    data = mujoco.MjData(mujoco.MjModel.from_xml_string(xml))
    mujoco.mj_forward(data.model, data)
    return data


def make(data: mujoco.MjData, size: int = 64, **options: bool) -> NumbaRenderer:
    return NumbaRenderer(data.model, size, size, **options)


def test_a_sphere_covers_the_solid_angle_it_should_at_the_depth_it_should() -> None:
    radius, distance, size = 0.5, 3.0, 400
    data = simulate(f"<geom size='{radius}'/>")
    renderer = make(data, size)
    fields = stack_fields([data], renderer.fields)
    mask, depth = renderer.segment(fields)[0], renderer.depth(fields)[0]
    # A sphere on the axis is a disc of slope r / sqrt(d² - r²).
    slope = radius / math.sqrt(distance**2 - radius**2)
    pixels = size / (2 * math.tan(math.radians(22.5)))
    assert (mask == 0).sum() == pytest.approx(math.pi * (slope * pixels) ** 2, rel=2e-3)
    assert depth[size // 2, size // 2] == pytest.approx(distance - radius, abs=1e-4)
    assert np.all(np.isinf(depth[mask < 0]))


@pytest.mark.parametrize("shape", SHAPES)
def test_hits_are_those_of_mujoco(shape: str) -> None:
    rng = np.random.default_rng(list(SHAPES).index(shape))
    angles, places = rng.uniform(-180, 180, (12, 3)), rng.uniform(-0.9, 0.9, (12, 3))
    body = "".join(
        f"<geom type='{shape}' {SHAPES[shape]} pos='{x} {y} {z}' euler='{a} {b} {c}'/>"
        for (x, y, z), (a, b, c) in zip(places, angles, strict=True)
    )
    data = simulate(body + "<geom type='plane' size='2 1 .1' pos='0 0 -1.5'/>")
    renderer = make(data)
    fields = stack_fields([data], renderer.fields)
    mask, depth = renderer.segment(fields)[0], renderer.depth(fields)[0]
    step = 2 * math.tan(math.radians(22.5)) / 64
    rotation, hit = data.cam_xmat[0].reshape(3, 3), np.zeros(1, np.int32)
    disagreements = 0
    for row, column in rng.integers(0, 64, (400, 2)):
        ray = np.array([(column - 31.5) * step, (31.5 - row) * step, -1.0])
        distance = mujoco.mj_ray(
            data.model, data, data.cam_xpos[0], rotation @ ray, None, 1, -1, hit
        )
        if hit[0] != mask[row, column]:
            disagreements += 1
        elif distance >= 0:
            assert depth[row, column] == pytest.approx(distance, abs=1e-4)
    # Float32 may see a grazing ray on the other side of an edge.
    assert disagreements <= 1
    assert len(np.unique(mask)) > 5


def test_a_plane_shows_its_texture_where_it_should() -> None:
    asset = (
        "<texture name='c' type='2d' builtin='checker' rgb1='1 0 0' rgb2='0 1 0' width='64' "
        "height='64'/><material name='c' texture='c' texuniform='true' specular='0'/>"
    )
    data = simulate("<geom type='plane' size='2 2 .1' material='c'/>", asset=asset)
    renderer = make(data)
    picture = renderer.render(stack_fields([data], renderer.fields))[0]
    reach = 3 * math.tan(math.radians(22.5))
    for row in range(3, 64, 8):
        for column in range(3, 64, 8):
            x, y = (column - 31.5) / 32 * reach, (31.5 - row) / 32 * reach
            # Squares of 1 m from the upper left corner on, the first one red.
            if min(abs(x - round(x)), abs(y - round(y))) < 0.1:
                continue
            red = (math.floor(x + 2) + math.floor(2 - y)) % 2 == 0
            colour = picture[row, column].astype(int)
            assert (colour[0] > 2 * colour[1]) == red
            assert (colour[1] > 2 * colour[0]) != red


def test_a_ray_along_an_axis_meets_the_end() -> None:
    body = "<geom type='capsule' size='.2 .5'/><geom type='cylinder' size='.2 .5' pos='1 0 0'/>"
    data = simulate(body)
    renderer = make(data, 65)
    depth = renderer.depth(stack_fields([data], renderer.fields))[0]
    assert depth[32, 32] == pytest.approx(3 - 0.7, abs=1e-4)


def test_what_is_behind_or_around_the_camera() -> None:
    behind = simulate("<geom size='.5' pos='0 0 6'/>")
    renderer = make(behind)
    fields = stack_fields([behind], renderer.fields)
    assert np.all(renderer.segment(fields) == -1)
    assert renderer.render(fields).max() == 0, "no sky, no object"
    around = simulate("<geom size='.5' pos='0 0 3'/><geom size='.2'/>")
    renderer = make(around)
    seen = np.unique(renderer.segment(stack_fields([around], renderer.fields)))
    assert set(seen) == {-1, 1}, "the inside of a sphere is not drawn, as in OpenGL"


def test_glass_shows_what_is_behind_it() -> None:
    ball = "<geom size='.5' rgba='0 1 0 1'/>"
    pane = "<geom type='box' size='1 1 .01' pos='0 0 1' rgba='1 0 0 {}'/>"
    greens = []
    for alpha in (0.3, 1.0):
        data = simulate(ball + pane.format(alpha))
        renderer = make(data)
        fields = stack_fields([data], renderer.fields)
        assert renderer.segment(fields)[0, 32, 32] == 1
        greens.append(int(renderer.render(fields)[0, 32, 32, 1]))
    clear = make(simulate(ball))
    alone = int(clear.render(stack_fields([simulate(ball)], clear.fields))[0, 32, 32, 1])
    # MuJoCo draws glass twice, so that (1 - 0.3)² of the ball is left.
    assert greens[0] == pytest.approx(0.49 * alone + 0.51 * greens[1], abs=16)
    assert greens[0] > greens[1] + 30


def test_shadows_and_mirrors_can_be_switched() -> None:
    body = (
        "<light pos='0 0 4' dir='0 0 -1'/><geom size='.3' pos='0 0 1'/>"
        "<geom type='plane' size='3 3 .1' material='m'/>"
    )
    asset = "<material name='m' rgba='.5 .5 .5 1' reflectance='.5'/>"
    data = simulate(body, "pos='0 -4 2' xyaxes='1 0 0 0 .5 1'", asset)
    pictures = {}
    for shadows in (False, True):
        for reflections in (False, True):
            renderer = make(data, shadows=shadows, reflections=reflections)
            fields = stack_fields([data], renderer.fields)
            pictures[shadows, reflections] = renderer.render(fields)[0].astype(int)
    darker = pictures[False, False] - pictures[True, False]
    brighter = pictures[False, True] - pictures[False, False]
    assert darker.min() >= -1
    assert darker.max() > 50
    assert brighter.min() >= 0
    assert brighter.max() > 30


@pytest.mark.parametrize(
    ("asset", "geom", "named"),
    [
        ("<mesh name='m' vertex='0 0 0 1 0 0 0 1 0 0 0 1'/>", "type='mesh' mesh='m'", "mesh"),
        (
            "<hfield name='h' nrow='2' ncol='2' size='1 1 1 1' elevation='0 1 0 1'/>",
            "type='hfield' hfield='h'",
            "hfield",
        ),
    ],
)
def test_what_it_cannot_draw_is_refused_with_who_can(asset: str, geom: str, named: str) -> None:
    data = simulate(f"<geom name='odd' {geom}/>", asset=asset)
    with pytest.raises(ValueError, match=rf"geom odd is a {named}.*renderer='gl'.*'exact'"):
        make_renderer("numba", data.model)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    model = simulate("<geom size='.1'/>", "name='side'").model
    with pytest.raises(ValueError, match="did you mean numba"):
        make_renderer("nunba", model)
    with pytest.raises(ValueError, match="did you mean side"):
        make_renderer("numba", model, camera="sied")
    with pytest.raises(ValueError, match=r"no camera 3: the model has 0 \(side\)"):
        make_renderer("numba", model, camera=3)
    with pytest.raises(ValueError, match="at least one pixel"):
        make_renderer("numba", model, 0, 64)
