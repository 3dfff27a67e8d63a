"""What a ray-caster needs to know of a model, read once: shapes, materials and lights as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float, Int

from envs.pixels.raycast.placing import GEOM, SITE, TENDON
from envs.pixels.tendons import Tendons, read_tendons, segments_of
from envs.pixels.textures import TextureBank, build_textures

VISIBLE_GROUPS = 3
"""MuJoCo's own pictures show the groups 0, 1 and 2."""

SUPPORTED = {
    int(kind): kind.name.removeprefix("mjGEOM_").lower()
    for kind in (
        mujoco.mjtGeom.mjGEOM_PLANE,
        mujoco.mjtGeom.mjGEOM_SPHERE,
        mujoco.mjtGeom.mjGEOM_CAPSULE,
        mujoco.mjtGeom.mjGEOM_ELLIPSOID,
        mujoco.mjtGeom.mjGEOM_CYLINDER,
        mujoco.mjtGeom.mjGEOM_BOX,
    )
}
PLANE_GRID = 200
"""Most lines along an axis of the grid into which MuJoCo divides a plane."""
SHININESS = 128.0
"""OpenGL's exponent of a highlight at a material's shininess of 1."""


@dataclass(frozen=True)
class Scene:
    """P primitives, with their materials, and L lights of a model, the headlight last."""

    kind: Int[np.ndarray, "P"]
    """mjtGeom."""
    source: Int[np.ndarray, "P"]
    """GEOM, SITE or TENDON."""
    index: Int[np.ndarray, "P"]
    """Of the geom, the site, or the tendon's segment among all segments."""
    label: Int[np.ndarray, "P"]
    """In masks: the geom; the number of geoms + the site; that + the number of sites + tendon."""
    size: Float[np.ndarray, "P 3"]
    """MuJoCo's sizes, m; of a sphere, the radius thrice."""
    material: Float[np.ndarray, "P 8"]
    """Red, green, blue, alpha, emission, specular, exponent of the highlight, reflectance."""
    texture: Int[np.ndarray, "P"]
    """Index in the bank; -1 for none."""
    texture_scale: Float[np.ndarray, "P 3"]
    """Texture coordinates per object coordinate (of a cube map: direction per coordinate)."""
    grid: Float[np.ndarray, "P 2 3"]
    """Grid at whose vertices OpenGL lights a plane, along each axis: number of cells (0: every
    pixel is lit), width of the outer ones and of the others, m."""
    textures: TextureBank
    sky: int
    """Index of the sky's texture; -1 for a black sky."""
    light_constants: Float[np.ndarray, "L 16"]
    """The columns of a light from its ambient colour on; see `raycast.columns`."""
    tendons: Tendons
    far: float
    """Nothing is drawn beyond, m."""


def read_scene(model: mujoco.MjModel) -> Scene:
    """Read what the ray-caster draws.

    Raises:
        ValueError: if the model shows a mesh, a height field or anything else that only OpenGL can
            draw, naming it and the renderers that can.
    """
    refuse_unsupported(model)
    tendons = read_tendons(model, _visible_tendons(model))
    rows = [*_geoms(model), *_sites(model), *_tendons(model, tendons)]
    textures, sky = build_textures(model)
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in range(9)]
    floats = [np.array(columns[k], dtype=np.float32) for k in (4, 5, 7, 8)]
    return Scene(
        kind=np.array(columns[0], dtype=np.int32),
        source=np.array(columns[1], dtype=np.int32),
        index=np.array(columns[2], dtype=np.int32),
        label=np.array(columns[3], dtype=np.int32),
        size=floats[0].reshape(-1, 3),
        material=floats[1].reshape(-1, 8),
        texture=np.array(columns[6], dtype=np.int32),
        texture_scale=floats[2].reshape(-1, 3),
        grid=floats[3].reshape(-1, 2, 3),
        textures=textures,
        sky=sky,
        light_constants=_lights(model),
        tendons=tendons,
        far=float(model.vis.map.zfar * model.stat.extent),
    )


def refuse_unsupported(model: mujoco.MjModel) -> None:
    """Raise ValueError if the model shows what closed-form rays cannot meet."""
    for geom in range(model.ngeom):
        shown = model.geom_group[geom] < VISIBLE_GROUPS
        if shown and int(model.geom_type[geom]) not in SUPPORTED:
            kind = mujoco.mjtGeom(int(model.geom_type[geom])).name.removeprefix("mjGEOM_").lower()
            name = model.geom(geom).name or f"number {geom}"
            _refuse(f"geom {name} is a {kind}")
    for what, count in (("a skin", model.nskin), ("a flex", model.nflex)):
        if count:
            _refuse(f"the model has {what}")


def _refuse(reason: str) -> None:
    raise ValueError(
        f"the numba renderer cannot draw this model: {reason}, and it draws "
        f"{', '.join(SUPPORTED.values())} only; use renderer='gl' or renderer='exact'"
    )


Row = tuple[int, int, int, int, np.ndarray, list[float], int, list[float], list[float]]


def _geoms(model: mujoco.MjModel) -> list[Row]:
    rows = []
    for geom in range(model.ngeom):
        if model.geom_group[geom] >= VISIBLE_GROUPS:
            continue
        kind, size = int(model.geom_type[geom]), model.geom_size[geom]
        rows += _row(
            model, kind, GEOM, geom, geom, size, model.geom_rgba[geom], model.geom_matid[geom]
        )
    return rows


def _sites(model: mujoco.MjModel) -> list[Row]:
    rows = []
    for site in range(model.nsite):
        if model.site_group[site] >= VISIBLE_GROUPS:
            continue
        kind, size = int(model.site_type[site]), model.site_size[site]
        rgba, material = model.site_rgba[site], model.site_matid[site]
        rows += _row(model, kind, SITE, site, model.ngeom + site, size, rgba, material)
    return rows


def _visible_tendons(model: mujoco.MjModel) -> list[int]:
    """Spatial tendons in visible groups; fixed ones only couple joints."""
    joint = mujoco.mjtWrap.mjWRAP_JOINT
    return [
        tendon
        for tendon in range(model.ntendon)
        if model.wrap_type[model.tendon_adr[tendon]] != joint
        and model.tendon_group[tendon] < VISIBLE_GROUPS
        and model.tendon_rgba[tendon, 3] > 0
    ]


def _tendons(model: mujoco.MjModel, tendons: Tendons) -> list[Row]:
    """Room for the segments of every tendon: along its path, or of a catenary."""
    rows = []
    capsule = int(mujoco.mjtGeom.mjGEOM_CAPSULE)
    for tendon, first in zip(tendons.index.tolist(), tendons.first.tolist(), strict=True):
        size = np.array([model.tendon_width[tendon], 0.0, 0.0])
        label = model.ngeom + model.nsite + tendon
        rgba, material = model.tendon_rgba[tendon], model.tendon_matid[tendon]
        for segment in range(first, first + segments_of(model, tendon)):
            rows += _row(model, capsule, TENDON, segment, label, size, rgba, material)
    return rows


def _row(
    model: mujoco.MjModel,
    kind: int,
    source: int,
    index: int,
    label: int,
    size: np.ndarray,
    rgba: np.ndarray,
    material: int,
) -> list[Row]:
    """One primitive, or none if it is invisible."""
    looks, texture, scale = _looks(model, kind, size, rgba, int(material))
    if looks[3] == 0:
        return []
    full = np.array([size[0]] * 3) if kind == mujoco.mjtGeom.mjGEOM_SPHERE else np.array(size)
    grid = _plane_grid(size) if kind == mujoco.mjtGeom.mjGEOM_PLANE else [0.0] * 6
    return [(kind, source, index, label, full, looks, texture, scale, grid)]


def _looks(
    model: mujoco.MjModel, kind: int, size: np.ndarray, rgba: np.ndarray, material: int
) -> tuple[list[float], int, list[float]]:
    """Material row, texture and texture scale, as `mjv_updateScene` sets them."""
    plain = [0.5, 0.5, 0.5, 1.0]
    if material < 0:
        return [*map(float, rgba), 0.0, 0.5, 0.5 * SHININESS, 0.0], -1, [0.0] * 3
    # A colour of its own that is not the default comes before the material's.
    chosen = rgba if not np.allclose(rgba, plain) else model.mat_rgba[material]
    looks = [
        *map(float, chosen),
        float(model.mat_emission[material]),
        float(model.mat_specular[material]),
        float(model.mat_shininess[material]) * SHININESS,
        float(model.mat_reflectance[material]),
    ]
    texture = int(model.mat_texid[material, mujoco.mjtTextureRole.mjTEXROLE_RGB])
    if texture < 0:
        return looks, -1, [0.0] * 3
    uniform = bool(model.mat_texuniform[material])
    if model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_2D:
        return looks, texture, _flat_scale(model, kind, size, material, uniform)
    return looks, texture, [float(s) if uniform else 1.0 for s in size]


def _flat_scale(
    model: mujoco.MjModel, kind: int, size: np.ndarray, material: int, uniform: bool
) -> list[float]:
    """Texture coordinates per metre: the repeats cover the object, or 2 m where uniform."""
    repeat = model.mat_texrepeat[material]
    infinite = kind == mujoco.mjtGeom.mjGEOM_PLANE
    scale = []
    for axis in range(2):
        extent = size[axis] if size[axis] > 0 else 1.0
        relative = not uniform and not (infinite and size[axis] <= 0)
        scale.append(0.5 * float(repeat[axis]) / (extent if relative else 1.0))
    return [*scale, 0.0]


def _plane_grid(size: np.ndarray) -> list[float]:
    """Cells of a finite plane: an even number of twice its third size, and a rest at either end."""
    if size[0] <= 0 or size[1] <= 0:
        return [0.0] * 6
    grid = []
    for extent in size[:2]:
        half = max(size[2], extent / (PLANE_GRID - 2))
        inner = int(extent / half)
        inner -= inner % 2
        grid += [inner + 2.0, float(extent - inner * half), float(2 * half)]
    return grid


def _lights(model: mujoco.MjModel) -> Float[np.ndarray, "L 16"]:
    rows = []
    for light in range(model.nlight):
        directional = model.light_type[light] == mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
        active = float(model.light_active[light])
        attenuation = [1.0, 0.0, 0.0] if directional else [*model.light_attenuation[light]]
        rows.append(
            [
                *(active * model.light_ambient[light]),
                *(active * model.light_diffuse[light]),
                *(active * model.light_specular[light]),
                float(directional),
                *attenuation,
                np.cos(np.deg2rad(model.light_cutoff[light])),
                model.light_exponent[light],
                float(model.light_castshadow[light] and active),
            ]
        )
    head = model.vis.headlight
    if head.active:
        colours = [*head.ambient, *head.diffuse, *head.specular]
        rows.append([*colours, 1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0])
    return np.array(rows, dtype=np.float32).reshape(-1, 16)
