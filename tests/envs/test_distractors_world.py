"""Films behind the agents of vector worlds."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

import envs
from envs.pixels import PixelSettings
from envs.pixels.distractors import DistractorSettings
from envs.pixels.world import PixelWorld

SMALL: dict[str, Any] = {"films": 3, "film_steps": 12, "switch_steps": 6}


def make(
    num_envs: int = 2,
    task: str = "dmc/cheetah-run",
    pixels: dict[str, Any] | None = None,
    seed: int = 3,
    steps: int | None = None,
    **options: Any,
) -> PixelWorld:
    distractors = DistractorSettings(**{**SMALL, **options})
    settings = PixelSettings(frame_stack=1, distractors=distractors, **(pixels or {}))
    world = envs.make_vec(
        task, num_envs=num_envs, seed=seed, pixels=settings, max_episode_steps=steps
    )
    assert isinstance(world, PixelWorld)
    return world


def play(world: PixelWorld, actions: np.ndarray) -> list[np.ndarray]:
    seen = [world.reset()[0]]
    for action in actions:
        obs, *_, info = world.step(action[: world.num_envs])
        seen.append(obs)
        if "_final_obs" in info:
            seen.append(info["final_obs"])
    return seen


def random_actions(steps: int, num_envs: int = 5, size: int = 6) -> np.ndarray:
    draws = np.random.default_rng(0).uniform(-1, 1, (steps, num_envs, size))
    return draws.astype(np.float32)


def background_of(world: PixelWorld) -> np.ndarray:
    """Where the sky or the floor is seen, (N, H, W), by hand."""
    masks = world.renderer.segment(world.world.fields)
    floor = world.world.task.model.geom("ground").id
    return (masks == -1) | (masks == floor)


@pytest.mark.parametrize("film", ["noise", "robot"])
def test_pictures_depend_on_neither_threads_nor_worlds(film: str) -> None:
    jitter = {"camera_jitter": 5.0, "colour_jitter": 0.2}
    actions = random_actions(9)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = play(make(2, film=film, steps=7, **jitter), actions)
        numba.set_num_threads(min(2, before))
        together = play(make(5, film=film, steps=7, **jitter), actions)
    finally:
        numba.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other[:2])


@pytest.mark.parametrize(("window", "side"), [("L1", 32), ("L2", 40), ("L3", 64), (10, 10)])
def test_only_the_background_inside_the_window_changes(window: str | int, side: int) -> None:
    world, plain = make(film="gas", window=window), make()
    assert plain._view is None
    first, second = (play(one, random_actions(3))[-1] for one in (world, plain))
    inside = np.zeros((64, 64), bool)
    edge = (64 - side) // 2
    inside[edge : edge + side, edge : edge + side] = True
    replaced = background_of(world) & inside
    assert 0.1 < replaced[:, inside].mean() < 1
    changed = (first != second).any(axis=1)
    assert not changed[~replaced].any()
    assert changed[replaced].mean() > 0.9
    view = world._view
    assert view is not None
    assert view.bank is not None
    at = view.bank.at(view.clock.picks, view.clock.steps, SMALL["switch_steps"])
    shown = np.zeros((2, 3, 64, 64), np.uint8)
    where = slice(edge, edge + side)
    shown[:, :, where, where] = view.bank.frames[at].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(
        first.transpose(0, 2, 3, 1)[replaced], shown.transpose(0, 2, 3, 1)[replaced]
    )


def test_targets_and_rails_are_no_background_and_floors_are_if_wanted() -> None:
    with_floor, without = make(1, film="noise"), make(1, film="noise", floor=False)
    seen = [play(world, random_actions(1))[-1] for world in (with_floor, without, make(1))]
    masks = with_floor.renderer.segment(with_floor.world.fields)
    ground = with_floor.world.task.model.geom("ground").id
    floor = masks == ground
    assert floor.any()
    np.testing.assert_array_equal(
        seen[1].transpose(0, 2, 3, 1)[floor], seen[2].transpose(0, 2, 3, 1)[floor]
    )
    assert (seen[0] != seen[2]).any(axis=1)[floor].mean() > 0.9
    reacher = make(1, "dmc/reacher-easy", film="noise")
    target = reacher.world.task.model.geom("target").id
    pictures = [one.reset()[0] for one in (reacher, make(1, "dmc/reacher-easy"))]
    at_target = reacher.renderer.segment(reacher.world.fields) == target
    assert at_target.any()
    assert not (pictures[0] != pictures[1]).any(axis=1)[at_target].any()


def test_films_switch_after_fifty_control_steps_and_at_every_episode() -> None:
    world = make(3, film="noise", films=7, film_steps=60, switch_steps=50, window=8)
    world.reset()
    assert world._view is not None
    clock, picks = world._view.clock, []
    for step in range(1, 102):
        world.step(random_actions(1)[0, :3])
        picks.append(clock.picks.copy())
        np.testing.assert_array_equal(clock.steps, step % 50)
    changes = [step + 2 for step in range(100) if (picks[step] != picks[step + 1]).all()]
    assert changes == [50, 100]
    assert sum((picks[step] != picks[step + 1]).any() for step in range(100)) == 2
    before = clock.picks.copy()
    world.reset(options={"reset_mask": np.array([True, False, False])})
    assert (clock.picks != before).any(axis=1).tolist() == [True, False, False]
    assert clock.steps.tolist() == [0, 1, 1]


def test_a_repeated_action_lets_the_film_run_on() -> None:
    world = make(film="noise", pixels={"action_repeat": 4})
    world.reset()
    assert world._view is not None
    passed = []
    for _ in range(4):
        world.step(random_actions(1)[0, :2])
        passed.append(world._view.clock.steps.tolist())
    assert passed == [[4, 4], [2, 2], [0, 0], [4, 4]]


def test_an_ended_episode_keeps_its_own_film_in_its_last_picture() -> None:
    world = make(film="noise", steps=4)
    world.reset()
    assert world._view is not None
    clock, bank = world._view.clock, world._view.bank
    assert bank is not None
    begun = clock.picks.copy()
    for action in random_actions(4)[:, :2]:
        obs, *_, info = world.step(action)
    last = bank.frames[bank.at(begun, np.full(2, 4), 6)].transpose(0, 3, 1, 2)
    fresh = bank.frames[bank.at(clock.picks, np.zeros(2, int), 6)].transpose(0, 3, 1, 2)
    assert (clock.picks != begun).all()
    # The sky of the top rows.
    np.testing.assert_array_equal(info["final_obs"][:, :, :8], last[:, :, :8])
    np.testing.assert_array_equal(obs[:, :, :8], fresh[:, :, :8])


def test_a_saved_state_goes_on_alike() -> None:
    options: dict[str, Any] = {
        "film": "noise",
        "steps": 8,
        "camera_jitter": 4.0,
        "colour_jitter": 0.1,
    }
    world, actions = make(**options), random_actions(14)
    play(world, actions[:5])
    saved = world.state_dict()
    expected = [world.step(action[:2])[0] for action in actions[5:]]
    other = make(**{**options, "seed": 99})
    other.load_state_dict(saved)
    for action, one in zip(actions[5:], expected, strict=True):
        np.testing.assert_array_equal(other.step(action[:2])[0], one)
    with pytest.raises(ValueError, match="not those that the state was saved with"):
        make(film="gas").load_state_dict(saved)
    with pytest.raises(ValueError, match="other distractor settings"):
        make().load_state_dict(saved)


def test_a_seed_begins_the_same_films_again() -> None:
    world = make(film="noise", colour_jitter=0.3)
    first = world.reset(seed=5)[0]
    assert not np.array_equal(world.reset()[0], first)
    np.testing.assert_array_equal(world.reset(seed=5)[0], first)
    np.testing.assert_array_equal(make(seed=5, film="noise", colour_jitter=0.3).reset()[0], first)


def test_training_and_evaluation_show_different_films() -> None:
    worlds = [make(film="noise", split=split) for split in ("train", "eval")]
    banks = [world._view.bank.frames for world in worlds if world._view and world._view.bank]
    train = {frame.tobytes() for frame in banks[0]}
    assert len(train) == len(banks[0])
    assert train.isdisjoint(frame.tobytes() for frame in banks[1])


def test_every_jitter_is_a_switch_of_its_own_and_holds_for_an_episode() -> None:
    plain = play(make(), random_actions(2))
    colours = play(make(colour_jitter=0.2), random_actions(2))
    camera_world = make(camera_jitter=5.0)
    cameras = play(camera_world, random_actions(2))
    film = make(film="noise")
    film.reset()
    assert camera_world._view is not None
    assert film._view is not None
    np.testing.assert_array_equal(film._view.clock.turns, camera_world._view.clock.turns)
    for world in range(2):
        for channel in range(3):
            pairs = {
                (int(old), int(new))
                for before, after in zip(plain, colours, strict=True)
                for old, new in zip(
                    before[world, channel].flat, after[world, channel].flat, strict=True
                )
            }
            # One new value for every old one, in the whole episode.
            assert len(pairs) == len({old for old, _ in pairs})
            assert any(old != new for old, new in pairs)
            low, high = min(pairs), max(pairs)
            gain = (high[1] - low[1]) / (high[0] - low[0])
            assert gain == pytest.approx(1, abs=0.22)
    masks = camera_world.renderer.segment(camera_world.world.fields)
    still = (cameras[-1] == plain[-1]).all(axis=1)
    assert (masks >= 0).any()
    assert still.mean() < 0.9


def test_a_turned_camera_is_mujocos_own() -> None:
    """Against a simulation whose camera was turned by MuJoCo's quaternions."""
    import mujoco

    from envs.pixels import make_renderer, stack_fields

    world = make(1, "dmc/reacher-easy", camera_jitter=6.0)
    seen = world.reset()[0]
    assert world._view is not None
    angles = np.deg2rad(6.0) * world._view.clock.turns[0]
    model, data = world.world.export(0)
    quaternion = np.array(model.cam_quat[0])
    for axis in (2, 1, 0):
        turn = np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, np.eye(3)[axis], angles[axis])
        quaternion = _product(quaternion, turn)
    model.cam_quat[0] = quaternion
    mujoco.mj_forward(model, data)
    renderer = make_renderer("numba", model)
    expected = renderer.render(stack_fields([data], renderer.fields))[0].transpose(2, 0, 1)
    assert (seen[0] != expected).mean() < 0.01


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    import mujoco

    result = np.zeros(4)
    mujoco.mju_mulQuat(result, one, other)
    return result


def test_films_can_be_grey_and_fit_larger_pictures() -> None:
    world = make(1, film="gas", colour=False, window="L1", pixels={"height": 84, "width": 84})
    assert world._view is not None
    assert world._view.bank is not None
    frames = world._view.bank.frames
    assert frames.shape == (36, 42, 42, 3)
    assert (frames == frames[..., :1]).all()
    assert world._view.bank.megabytes == pytest.approx(36 * 42 * 42 * 3 / 1e6)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="no film 'roads': did you mean road"):
        DistractorSettings(film="roads")
    with pytest.raises(ValueError, match=r"100 frames .* 200 .*raise distractors.film_steps"):
        DistractorSettings(film="gas", switch_steps=200)
    with pytest.raises(ValueError, match=r"50 x 50 .* 48 x 64: lower distractors.window .* 48"):
        PixelSettings(height=48, distractors=DistractorSettings(film="gas", window=50))
    with pytest.raises(ValueError, match="belong together"):
        DistractorSettings(film="videos")
    with pytest.raises(ValueError, match="belong together"):
        DistractorSettings(film="gas", videos="somewhere")
    with pytest.raises(ValueError, match="the free camera cannot be turned"):
        make(camera_jitter=1.0, pixels={"camera": -1})
    with pytest.raises(ValueError, match=r"colour_jitter must be in \[0, 1\), got 2"):
        DistractorSettings(colour_jitter=2)
