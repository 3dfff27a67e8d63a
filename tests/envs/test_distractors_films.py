"""Films are what they are called, and a user's own videos are read or refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from envs.pixels.distractors import DistractorSettings, describe_distractors
from envs.pixels.distractors.bank import FilmBank, make_bank
from envs.pixels.distractors.films.gas import gas_film, gas_places
from envs.pixels.distractors.films.noise import noise_film, pink_field
from envs.pixels.distractors.films.road import road_film

MAKERS = {"gas": gas_film, "noise": noise_film, "road": road_film}
NO_STAGE: Any = SimpleNamespace()


def bank(height: int = 16, width: int = 16, **options: Any) -> FilmBank:
    return make_bank(DistractorSettings(**options), NO_STAGE, height, width)


@pytest.mark.parametrize("name", MAKERS)
def test_a_film_follows_from_its_seed_and_moves(name: str) -> None:
    one, again, other = (MAKERS[name](np.random.default_rng(seed), 8, 48, 64) for seed in (0, 0, 1))
    assert one.shape == (8, 48, 64, 3)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.5
    moved = np.abs(np.diff(one.astype(int), axis=0)).max(axis=-1) > 8
    assert (moved.mean(axis=(1, 2)) > 0.02).all()
    assert one.std(axis=(1, 2)).min() > 8


@pytest.mark.parametrize("name", MAKERS)
def test_a_film_depends_on_neither_the_bank_nor_the_other_split(name: str) -> None:
    few, many = (bank(film=name, films=n, film_steps=5, switch_steps=5) for n in (2, 4))
    np.testing.assert_array_equal(few.frames, many.frames[:10])
    kept = bank(film=name, films=2, film_steps=5, switch_steps=5, split="eval")
    assert not any((kept.frames == frame).all() for frame in few.frames)
    reseeded = bank(film=name, films=2, film_steps=5, switch_steps=5, bank_seed=1)
    assert (reseeded.frames != few.frames).mean() > 0.3


def slope(power: np.ndarray, frequency: np.ndarray, low: float, high: float) -> float:
    """Of log power over log frequency, each octave counting alike."""
    edges = np.geomspace(low, high, 9)
    bins = [(frequency >= a) & (frequency < b) for a, b in itertools.pairwise(edges)]
    points = [(frequency[b].mean(), power[b].mean()) for b in bins if b.any()]
    x, y = np.log(np.array(points)).T
    return float(np.polyfit(x, y, 1)[0])


@pytest.mark.parametrize("drift", [None, np.array([0.01, 0.005])])
def test_noise_has_the_spectrum_of_natural_pictures(drift: np.ndarray | None) -> None:
    fields = [pink_field(np.random.default_rng(k), 128, 64, 64, drift) for k in range(4)]
    power = np.mean([np.abs(np.fft.fft2(field)) ** 2 for field in fields], axis=(0, 1))
    down, right = np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64), indexing="ij")
    assert slope(power, np.hypot(down, right), 0.03, 0.4) == pytest.approx(-2, abs=0.15)
    if drift is None:
        power = np.mean(
            [np.abs(np.fft.fft(field, axis=0)) ** 2 for field in fields], axis=(0, 2, 3)
        )
        assert slope(power, np.abs(np.fft.fftfreq(128)), 0.015, 0.15) == pytest.approx(-1, abs=0.2)


def test_noise_drifts() -> None:
    still, drifting = (
        pink_field(np.random.default_rng(0), 40, 32, 32, drift)
        for drift in (None, np.array([0.0, 1 / 32]))
    )
    # A pixel to the right a frame: undone by rolling back.
    back = np.stack([np.roll(frame, -t, axis=1) for t, frame in enumerate(drifting)])
    np.testing.assert_allclose(back, still, atol=1e-3)


def test_gas_keeps_its_particles_and_their_speeds() -> None:
    places = gas_places(np.random.default_rng(0), 400, 50)
    assert places.shape == (400, 50, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    steps = np.abs(np.diff(places, axis=0))
    speed = np.median(steps, axis=0)
    bounced = np.abs(steps - speed) > 1e-9
    # A step is shorter only where a wall lies within it.
    assert (steps <= speed + 1e-9).all()
    near = np.minimum(places[:-1], 1 - places[:-1]) <= speed
    assert near[bounced].all()
    assert 0 < bounced.mean() < 0.05
    # Speeds of a gas at rest: normal in each component.
    assert speed.std() > 0.3 * speed.mean()


def test_a_disc_is_drawn_where_its_particle_is() -> None:
    film = gas_film(np.random.default_rng(3), 20, 64, 64)
    places = gas_places(np.random.default_rng(3), 20, 24)
    values, counts = np.unique(film.reshape(-1, 3), axis=0, return_counts=True)
    empty = values[counts.argmax()]
    pixels = np.clip((places * 64).astype(int), 0, 63)
    for t in range(20):
        colours = film[t, pixels[t, :, 0], pixels[t, :, 1]]
        assert (colours != empty).any(axis=-1).all()


def test_a_road_streams_faster_where_it_is_near() -> None:
    film = road_film(np.random.default_rng(0), 30, 64, 64).astype(int)
    change = np.abs(np.diff(film, axis=0)).mean(axis=(0, 2, 3))
    assert change[:10].mean() < 0.5 * change[30:].mean()


def write_video(path: Path, frames: int, level: int, size: int = 32) -> None:
    film = np.full((frames, size, 2 * size, 3), level, np.uint8)
    # A GIF keeps equal pictures only once.
    film += 2 * np.arange(frames, dtype=np.uint8)[:, None, None, None]
    film[:, :, : size // 2] = 0
    iio.imwrite(path, film)


def write_pictures(path: Path, frames: int, level: int) -> None:
    path.mkdir()
    for t in range(frames):
        iio.imwrite(path / f"{t:03}.png", np.full((20, 20, 3), level + t, np.uint8))


def videos(folder: Path, **options: Any) -> FilmBank:
    settings = {"film_steps": 8, "switch_steps": 6, "eval_share": 0.25, **options}
    return bank(film="videos", videos=str(folder), **settings)


def test_videos_of_every_kind_are_read_and_split(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 10, 60)
    write_video(tmp_path / "b.gif", 7, 110)
    write_video(tmp_path / "d.avi", 9, 220)
    write_pictures(tmp_path / "c", 9, 160)
    (tmp_path / "notes.txt").write_text("no video")
    train, kept = videos(tmp_path), videos(tmp_path, split="eval")
    levels = [
        [int(one.frames[start, 8, 8].mean()) for start in one.starts] for one in (train, kept)
    ]
    assert (len(levels[0]), len(levels[1])) == (3, 1)
    for level, expected in zip(sorted(levels[0] + levels[1]), (60, 110, 160, 220), strict=True):
        assert level == pytest.approx(expected, abs=6)
    lengths = sorted([*train.lengths.tolist(), *kept.lengths.tolist()])
    assert lengths == [7, 8, 8, 8]
    # A picture twice as wide as high loses a quarter at both sides, which is all that is black.
    assert train.frames.reshape(-1, 16, 16, 3)[:, :, 1:].min() > 40
    assert len(videos(tmp_path, films=2).starts) == 2


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_with_too_few_videos_is_refused(tmp_path: Path, count: int) -> None:
    for k in range(count):
        write_pictures(tmp_path / f"film{k}", 9, 100)
    with pytest.raises(ValueError, match=rf"holds {count} of at least 2 videos.*mp4"):
        videos(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"distractors\.videos=.*nowhere: there is no such folder"):
        videos(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["broken.mp4", "broken.gif", "broken.png"])
def test_a_broken_video_is_refused_by_name(tmp_path: Path, name: str) -> None:
    write_pictures(tmp_path / "fine", 9, 100)
    path = tmp_path / name
    if path.suffix == ".png":
        path = tmp_path / "folder" / name
        path.parent.mkdir()
    path.write_bytes(b"this is no video at all")
    named = path.parent.name if path.suffix == ".png" else name
    with pytest.raises(ValueError, match=rf"{named} cannot be read .*distractors\.videos"):
        _read_both_splits(tmp_path)


def _read_both_splits(folder: Path) -> None:
    for split in ("train", "eval"):
        videos(folder, split=split, eval_share=0.5)


def test_a_short_video_is_refused_with_the_numbers(tmp_path: Path) -> None:
    for k in range(2):
        write_pictures(tmp_path / f"film{k}", 5, 100)
    message = r"film\d has 5 frames, and is shown for 6 .*distractors\.switch_steps to 5"
    with pytest.raises(ValueError, match=message):
        videos(tmp_path)


def test_every_film_has_a_line_of_description() -> None:
    lines = describe_distractors()
    assert set(lines) == {"robot", "road", "noise", "gas", "videos"}
    assert all(20 < len(line) < 100 for line in lines.values())
