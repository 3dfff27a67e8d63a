"""A user's own videos."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from envs.pixels.distractors.films.request import Film, FilmRequest

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".gif", ".mov", ".mkv", ".webm", ".m4v", ".mpg"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
SPLIT_STREAM = 0x5311
"""Tells the random source of the split from those of the films."""


def video_films(request: FilmRequest) -> list[Film]:
    """Your own videos: a folder of mp4, avi, gif, ... files and of folders of pictures.

    Videos are cut to the window's shape around their middle and scaled to it, and played one frame
    a control step.

    Raises:
        ValueError: if the folder cannot be read, holds fewer than two videos (one for training, one
            for evaluation), or if a video cannot be read or is too short.
    """
    from tqdm import tqdm

    assert request.folder is not None
    chosen = split_videos(find_videos(request.folder), request)[: len(request.sources)]
    bar = tqdm(chosen, desc="reading videos", unit="video", leave=False, disable=len(chosen) < 8)
    return [read_video(path, request) for path in bar]


def find_videos(folder: str) -> list[Path]:
    """Video files and folders of pictures directly in `folder`, by name.

    Raises:
        ValueError: if there is no such folder, or fewer than two videos in it.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise ValueError(f"distractors.videos={folder}: there is no such folder")
    try:
        entries = sorted(root.iterdir())
        videos = [path for path in entries if _is_video(path)]
    except OSError as error:
        raise ValueError(f"distractors.videos={folder} cannot be read: {error}") from error
    if len(videos) < 2:
        suffixes = ", ".join(sorted(suffix[1:] for suffix in VIDEO_SUFFIXES))
        raise ValueError(
            f"distractors.videos={folder} holds {len(videos)} of at least 2 videos, one for "
            f"training and one for evaluation: put files ({suffixes}) or folders of pictures there"
        )
    return videos


def split_videos(videos: list[Path], request: FilmRequest) -> list[Path]:
    """The videos for training or those for evaluation: no video is in both."""
    seed = np.random.SeedSequence(request.folder_seed, spawn_key=(SPLIT_STREAM,))
    order = np.random.default_rng(seed).permutation(len(videos))
    kept = min(max(round(request.eval_share * len(videos)), 1), len(videos) - 1)
    return [videos[k] for k in (order[:kept] if request.evaluation else order[kept:])]


def read_video(path: Path, request: FilmRequest) -> Film:
    """The first frames of a video at the window's size.

    Raises:
        ValueError: if it cannot be read, or is shorter than the time for which it would be shown.
    """
    size = request.height, request.width
    try:
        frames = [fit(frame, *size) for frame in islice(_frames(path), request.steps)]
    # Each decoder fails in its own way at a broken file.
    except (OSError, RuntimeError, ValueError, IndexError, KeyError, EOFError, SyntaxError) as why:
        reason = str(why).strip().partition("\n")[0]
        raise ValueError(
            f"the video {path} cannot be read ({reason}): take it out of distractors.videos"
        ) from why
    if len(frames) < request.least_steps:
        raise ValueError(
            f"the video {path} has {len(frames)} frames, and is shown for {request.least_steps} "
            f"control steps: take it out, or lower distractors.switch_steps to {len(frames)}"
        )
    return np.stack(frames)


def fit(frame: Any, height: int, width: int) -> UInt8[np.ndarray, "H W 3"]:
    """Cut a picture to the shape around its middle, and scale it."""
    from PIL import Image, ImageOps

    picture = frame if isinstance(frame, Image.Image) else Image.fromarray(np.asarray(frame))
    smooth = Image.Resampling.BOX if picture.width >= width else Image.Resampling.BILINEAR
    return np.asarray(ImageOps.fit(picture.convert("RGB"), (width, height), smooth))


def _is_video(path: Path) -> bool:
    return bool(_pictures(path)) if path.is_dir() else path.suffix.lower() in VIDEO_SUFFIXES


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def _frames(path: Path) -> Iterator[Any]:
    import imageio.v3 as iio
    from PIL import Image

    if not path.is_dir():
        yield from iio.imiter(path)
        return
    for file in _pictures(path):
        with Image.open(file) as picture:
            yield picture
