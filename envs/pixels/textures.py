"""A model's textures as one array of colours, with the smaller copies that distance calls for."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float, Int, UInt8

FLAT, CUBE = 0, 1
CUBE_FACES = 6


@dataclass(frozen=True)
class TextureBank:
    """T textures, each with V levels of which every one has half the edge of the one before."""

    texels: Float[np.ndarray, "K 3"]
    """All texels, in [0, 255], level after level, row after row; a cube's six faces one below the
    other in OpenGL's order."""
    kind: Int[np.ndarray, "T"]
    """FLAT or CUBE."""
    levels: Int[np.ndarray, "T"]
    """Number of levels."""
    start: Int[np.ndarray, "T V"]
    """First texel of each level."""
    width: Int[np.ndarray, "T V"]
    height: Int[np.ndarray, "T V"]
    """Of a cube, that of one face."""


def build_textures(model: mujoco.MjModel) -> tuple[TextureBank, int]:
    """The bank of all textures, and the index of the first sky box, -1 for none."""
    pyramids = [_pyramid(model, texture) for texture in range(model.ntex)]
    depth = max((len(pyramid) for pyramid in pyramids), default=1)
    start, width, height = (np.zeros((max(model.ntex, 1), depth), np.int32) for _ in range(3))
    chunks, total = [np.zeros((1, 3), np.float32)], 1
    for texture, pyramid in enumerate(pyramids):
        for level, faces in enumerate(pyramid):
            start[texture, level] = total
            height[texture, level], width[texture, level] = faces.shape[1:3]
            chunks.append(faces.reshape(-1, 3))
            total += chunks[-1].shape[0]
    flat = model.tex_type == mujoco.mjtTexture.mjTEXTURE_2D
    bank = TextureBank(
        texels=np.ascontiguousarray(np.concatenate(chunks), dtype=np.float32),
        kind=np.where(flat, FLAT, CUBE).astype(np.int32).reshape(-1),
        levels=np.array([len(pyramid) for pyramid in pyramids], dtype=np.int32),
        start=start,
        width=width,
        height=height,
    )
    skies = np.flatnonzero(model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    return bank, int(skies[0]) if skies.size else -1


def _pyramid(model: mujoco.MjModel, texture: int) -> list[Float[np.ndarray, "F h w 3"]]:
    faces = _read(model, texture).astype(np.float32)
    if model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_2D:
        faces = faces[None]
    else:
        edge = faces.shape[1]
        faces = faces.reshape(-1, edge, edge, 3)
        # One picture for a whole cube is repeated on its faces.
        faces = np.broadcast_to(faces, (CUBE_FACES, edge, edge, 3))
    pyramid = [np.ascontiguousarray(faces)]
    while max(pyramid[-1].shape[1:3]) > 1:
        pyramid.append(_halve(pyramid[-1]))
    return pyramid


def _halve(faces: Float[np.ndarray, "F h w 3"]) -> Float[np.ndarray, "F i j 3"]:
    """Half the edges, rounded down; every texel is the mean of the area that it covers."""
    rows, columns = (_area_weights(edge) for edge in faces.shape[1:3])
    return np.einsum("ih,fhwc,jw->fijc", rows, faces, columns, optimize=True).astype(np.float32)


def _area_weights(edge: int) -> Float[np.ndarray, "i h"]:
    """Shares of each of h texels in the means over h // 2 equal stretches of them."""
    fewer = max(edge // 2, 1)
    ends = np.arange(fewer + 1) * edge / fewer
    low, high = np.arange(edge), np.arange(edge) + 1
    overlap = np.minimum(ends[1:, None], high) - np.maximum(ends[:-1, None], low)
    return np.clip(overlap, 0, None) * fewer / edge


def _read(model: mujoco.MjModel, texture: int) -> UInt8[np.ndarray, "h w 3"]:
    """Colours of a texture; grey is repeated, an opacity dropped."""
    channels = int(model.tex_nchannel[texture])
    height, width = int(model.tex_height[texture]), int(model.tex_width[texture])
    first = int(model.tex_adr[texture])
    data = model.tex_data[first : first + height * width * channels]
    data = data.reshape(height, width, channels)
    return np.repeat(data[..., :1], 3, axis=-1) if channels < 3 else data[..., :3]
