"""Worlds in worker processes: the same results, and failures that name their world."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adapter_envs  # also registers the envs of these tests
import gymnasium
import numpy as np
import pytest
from adapter_rollouts import actions_for, assert_same, follow

from envs import make_vec
from envs.backends import adapter_workers
from envs.backends.adapter import AdapterWorld
from envs.errors import RenderingError, WorldError

SECONDS_TO_END = 10.0


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    gc.collect()
    deadline = time.monotonic() + SECONDS_TO_END
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Expect a Ctrl-C, which comes after `seconds`."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def troubled(trouble: str, workers: int = 2, step_timeout: float = 60.0) -> AdapterWorld:
    """Four worlds; world 2, the first of worker 1, fails in its second step."""
    world = make_vec(
        "gym/Counting-v0",
        num_envs=4,
        seed=10,
        length=50,
        workers=workers,
        step_timeout=step_timeout,
        trouble=trouble,
        trouble_seed=12,
    )
    world.reset()
    world.step(np.zeros((4, 1)))
    return world


@pytest.mark.parametrize("id_", ["gym/Pendulum-v1", "dmc/point_mass-hard"])
@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_do_not_depend_on_the_number_of_workers(id_: str, workers: int) -> None:
    options = {"num_envs": 3, "seed": 6, "dtype": "float64", "max_episode_steps": 10}
    here, there = make_vec(id_, **options), make_vec(id_, workers=workers, **options)
    np.testing.assert_array_equal(here.reset()[0], there.reset()[0])
    actions = actions_for(here)
    assert_same(follow(here, actions[:13]), follow(there, actions[:13]))
    mask = np.array([False, True, True])
    np.testing.assert_array_equal(
        here.reset(seed=30, options={"reset_mask": mask})[0],
        there.reset(seed=30, options={"reset_mask": mask})[0],
    )
    here.load_state_dict(there.state_dict())
    assert_same(follow(here, actions[13:]), follow(there, actions[13:]))
    there.close()


def test_an_exception_names_the_world_and_shows_its_traceback() -> None:
    world = troubled("raise")
    message = r"(?s)world 2 raised ZeroDivisionError: a deliberate fault.*in raise_error"
    with pytest.raises(WorldError, match=message) as raised:
        world.step(np.zeros((4, 1)))
    assert raised.value.worlds == (2,)
    with pytest.raises(RuntimeError, match=r"closed \(world 2 raised.*make them anew"):
        world.step(np.zeros((4, 1)))


def test_an_exit_inside_a_world_names_it() -> None:
    world = troubled("exit")
    with pytest.raises(WorldError, match=r"world 2 died: .*exit status 3 while it ran") as raised:
        world.step(np.zeros((4, 1)))
    assert raised.value.worlds == (2,)


def test_a_worker_killed_between_steps_names_its_worlds() -> None:
    world = troubled("")
    os.kill(world._worlds._workers[1].process.pid, signal.SIGKILL)
    with pytest.raises(WorldError, match=r"worlds \[2, 3\].*killed by SIGKILL between") as raised:
        world.step(np.zeros((4, 1)))
    assert raised.value.worlds == (2, 3)


def test_a_worker_killed_in_a_step_names_the_world() -> None:
    world = troubled("hang")
    pid = world._worlds._workers[1].process.pid
    subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -SEGV {pid}"])
    with pytest.raises(WorldError, match=r"world 2 died: .*was killed by SIGSEGV") as raised:
        world.step(np.zeros((4, 1)))
    assert raised.value.worlds == (2,)


def test_a_hanging_world_is_named_after_the_timeout() -> None:
    world = troubled("hang", step_timeout=1.0)
    begin = time.monotonic()
    with pytest.raises(WorldError, match=r"world 2 hangs: no answer for 1 s") as raised:
        world.step(np.zeros((4, 1)))
    assert raised.value.worlds == (2,)
    assert 1.0 <= time.monotonic() - begin < 4.0


def test_many_slow_worlds_are_no_hang() -> None:
    """The timeout is for one world, not for all that a worker runs."""
    world = make_vec(
        "gym/Slow-v0", num_envs=6, seed=0, workers=1, step_timeout=0.6, step_seconds=0.2
    )
    world.reset()
    assert (world.step(np.zeros((6, 1)))[0][:, 1] == 1).all()
    world.close()


def test_a_refused_space_is_a_plain_value_error() -> None:
    with pytest.raises(ValueError, match="only Box is supported"):
        make_vec("gym/CartPole-v1", num_envs=2, workers=2)


def test_an_error_while_worlds_are_made_names_the_world() -> None:
    with pytest.raises(WorldError, match=r"(?s)world 0 raised KeyError.*no such trouble"):
        make_vec("gym/Counting-v0", num_envs=2, workers=1, trouble="no such trouble")


def test_what_cannot_be_sent_to_a_process_is_refused() -> None:
    gymnasium.register("Local-v0", entry_point=lambda: adapter_envs.CountingEnv())
    try:
        assert make_vec("gym/Local-v0").num_envs == 1
        with pytest.raises(ValueError, match=r"cannot be sent to worker.*workers=0"):
            make_vec("gym/Local-v0", workers=1)
    finally:
        gymnasium.registry.pop("Local-v0")


def test_pictures_and_refusals_come_from_the_right_world_and_end_nothing() -> None:
    world = troubled("")
    assert (world.render(3, height=4, width=4) == 10).all()
    world.reset(options={"reset_mask": np.array([False, False, True, False])})
    assert (world.render(2, height=4, width=4) == 0).all()
    world.close()
    secretive = make_vec("gym/Secretive-v0", num_envs=2, workers=2)
    secretive.reset()
    with pytest.raises(RenderingError):
        secretive.render(1)
    with pytest.raises(NotImplementedError):
        secretive.state_dict()
    assert (secretive.step(np.zeros((2, 1)))[0][:, 1] == 1).all()
    secretive.close()


def test_an_interrupted_step_does_not_shift_the_answers() -> None:
    """Ctrl-C between request and answer: the late answer must not be taken for the next one."""
    world = make_vec("gym/Slow-v0", num_envs=2, seed=0, workers=2, step_seconds=0.5)
    world.reset()
    with interrupted_after(0.2):
        world.step(np.zeros((2, 1)))
    assert (world.step(np.full((2, 1), 0.25))[0][:, 1:] == [2.0, 0.25]).all()
    world.close()


def test_closing_is_final_and_may_be_repeated() -> None:
    world = troubled("")
    processes = [worker.process for worker in world._worlds._workers]
    world.close()
    assert [process.exitcode for process in processes] == [0, 0]
    world.close()
    with pytest.raises(RuntimeError, match="closed"):
        world._worlds.step(np.zeros((4, 1)))


def test_closing_ends_a_hanging_worker_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_workers, "CLOSING_SECONDS", 0.3)
    world = troubled("hang")
    processes = [worker.process for worker in world._worlds._workers]
    with interrupted_after(0.3):
        world.step(np.zeros((4, 1)))
    world.close()
    assert [process.exitcode for process in processes] == [0, -signal.SIGKILL]


def test_forgetting_the_worlds_ends_the_processes() -> None:
    world = troubled("")
    assert len(multiprocessing.active_children()) == 2
    del world


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_workers_do_not_outlive_their_parent(end: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import signal
            import numpy as np
            from envs import make_vec

            if __name__ == "__main__":
                # What runs in the background of a shell inherits that Ctrl-C is ignored.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                world = make_vec("gym/adapter_envs:Counting-v0", num_envs=2, seed=0, workers=2,
                                 length=50, trouble="hang", trouble_seed=1)
                world.reset()
                world.step(np.zeros((2, 1)))
                print(*[w.process.pid for w in world._worlds._workers], flush=True)
                world.step(np.zeros((2, 1)))
            """
        )
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    time.sleep(0.3)
    parent.send_signal(end)
    parent.communicate(timeout=SECONDS_TO_END)
    deadline = time.monotonic() + SECONDS_TO_END
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    """Whether the process exists and is not a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_script_without_main_guard_is_told_to_have_one(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text("from envs import make_vec\nmake_vec('gym/Pendulum-v1', workers=1)\n")
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert '`if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
