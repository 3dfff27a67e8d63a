"""Entry point of the `rl-info` command: finds the verb and turns user errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from agents.errors import UsageError, nearest
from envs.gl import configure_gl
from rl_info import __version__

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

VERBS: dict[str, tuple[str, str]] = {
    "train": ("agents.cli.train", "train an agent, or resume a run; without arguments, a demo"),
    "evaluate": (
        "agents.cli.evaluate",
        "evaluate a run: returns, coverage, goals, pictures",
    ),
    "plan": ("agents.cli.plan", "bring things to goals by planning over the skills of a run"),
    "mi": ("agents.cli.mi", "estimate the mutual information of samples in a file"),
    "list": ("agents.cli.list_names", "list agents, envs, rewards, estimators or distractors"),
    "doctor": ("agents.cli.doctor", "say what this machine can do and how to fix what is missing"),
}
"""Verb -> (module with `run(arguments) -> int`, one line of help)."""


def usage() -> str:
    """The page that `rl-info --help` shows."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, (_, text) in VERBS.items())
    return (
        f"rl-info {__version__}: agents that discover skills from information\n\n"
        f"usage: rl-info VERB [ARGUMENTS]\n\nverbs:\n{verbs}\n\n"
        "`rl-info VERB --help` shows every flag of a verb."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (default: those of the process); returns the exit code.

    2 stands for a request that cannot be carried out as written, 1 for work that failed, 130 for
    Ctrl-C where there was nothing to save.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return EXIT_OK if words else EXIT_USAGE
    if words[0] == "--version":
        print(f"rl-info {__version__}")
        return EXIT_OK
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        print(f"rl-info: unknown verb {verb!r}; {nearest(verb, VERBS)}", file=sys.stderr)
        return EXIT_USAGE
    # MuJoCo reads its choice of OpenGL once, at import, so it is made before any verb's module.
    configure_gl()
    try:
        code: int = importlib.import_module(VERBS[verb][0]).run(rest)
    except UsageError as error:
        print(f"rl-info {verb}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print(f"rl-info {verb}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python's own last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


if __name__ == "__main__":
    sys.exit(main())
