"""Videos: a grid of worlds, one skill in each, as GIF and MP4."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from agents.evaluation.rollouts import SkillPolicy, collect_rollouts, episode_steps
from agents.evaluation.skill_colours import skill_colours
from agents.training.gif import encode_gif
from envs.vector_world import VectorWorld
from rl_info.skills import SkillSpec

BORDER = 3
"""Width of the coloured frame around a tile, in pixels."""


def record_grid(
    policy: SkillPolicy,
    world: VectorWorld,
    skills: Float[Tensor, "N Z"],
    spec: SkillSpec,
    *,
    seed: int,
    frames: int = 60,
    height: int = 120,
    width: int = 160,
) -> list[UInt8[np.ndarray, "H W 3"]]:
    """About `frames` pictures of one deterministic episode, every world in a tile of its own.

    A tile's frame has the colour of its skill; `height` and `width` are those of a tile, in pixels.
    Raises RenderingError where nothing can be drawn.
    """
    stride = max(1, episode_steps(world) // frames)
    colours = (skill_colours(skills.numpy(), spec)[:, :3] * 255).astype(np.uint8)
    captions = skill_captions(skills.numpy(), spec)
    pictures: list[UInt8[np.ndarray, "H W 3"]] = []

    def draw(step: int) -> None:
        if step % stride:
            return
        tiles = [
            _tile(world.render(index, height, width), colours[index], captions[index])
            for index in range(world.num_envs)
        ]
        pictures.append(tile_grid(tiles))

    collect_rollouts(policy, world, skills, seed=seed, on_step=draw)
    return pictures


def skill_captions(skills: Float[np.ndarray, "N Z"], spec: SkillSpec) -> list[str]:
    """What is written into the tile of each skill; empty without skills."""
    if spec.kind == "none":
        return [""] * len(skills)
    if spec.kind == "discrete":
        return [f"skill {index}" for index in skills.argmax(axis=1)]
    if spec.dim == 2:
        angles = np.degrees(np.arctan2(skills[:, 1], skills[:, 0])) % 360
        return [f"skill {angle:.0f}°" for angle in angles]
    return [f"skill {index}" for index in range(len(skills))]


def tile_grid(tiles: Sequence[UInt8[np.ndarray, "H W 3"]]) -> UInt8[np.ndarray, "H2 W2 3"]:
    """Tiles in rows of about equal number, with black where the last row is short."""
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    blank = np.zeros_like(tiles[0])
    padded = [*tiles, *[blank] * (rows * columns - len(tiles))]
    lines = [
        np.concatenate(padded[row * columns : (row + 1) * columns], axis=1) for row in range(rows)
    ]
    return np.concatenate(lines, axis=0)


def write_videos(
    pictures: Sequence[UInt8[np.ndarray, "H W 3"]], stem: Path, frames_per_second: float = 15.0
) -> list[Path]:
    """Write `stem`.gif and `stem`.mp4; returns their paths."""
    gif, mp4 = stem.with_suffix(".gif"), stem.with_suffix(".mp4")
    gif.write_bytes(encode_gif(pictures, frames_per_second))
    stack = np.stack(pictures)
    # H.264 needs even sides.
    stack = stack[:, : stack.shape[1] // 2 * 2, : stack.shape[2] // 2 * 2]
    iio.imwrite(mp4, stack, fps=frames_per_second, codec="libx264", macro_block_size=2)
    return [gif, mp4]


def _tile(
    picture: UInt8[np.ndarray, "H W 3"], colour: UInt8[np.ndarray, " 3"], caption: str
) -> UInt8[np.ndarray, "H W 3"]:
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    if caption:
        rgb = tuple(int(part) for part in colour)
        pen.rectangle((0, 0, image.width - 1, image.height - 1), outline=rgb, width=BORDER)
        font = ImageFont.load_default(size=max(10, image.height // 11))
        pen.text(
            (BORDER + 4, BORDER + 2),
            caption,
            fill="white",
            font=font,
            stroke_width=1,
            stroke_fill="black",
        )
    return np.asarray(image)
