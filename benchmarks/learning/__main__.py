"""Long learning runs through the public command, their curves and their final figures.

    python -m benchmarks.learning run cheetah --jobs 2      # trains and evaluates; hours
    python -m benchmarks.learning collect cheetah           # CSV, JSON and PNG under results/

`run` skips what is already trained and continues what was interrupted, so it may be called again.
`collect` keeps what earlier collections have of runs that are not under `--root`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.learning.experiments import EXPERIMENTS
from benchmarks.learning.plots import figure
from benchmarks.learning.results import gather, write
from benchmarks.learning.runs import run

RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["run", "collect"])
    parser.add_argument("experiment", choices=list(EXPERIMENTS))
    parser.add_argument("--root", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2), help="seeds to run")
    parser.add_argument("--arms", nargs="+", help="arms to run; all by default")
    options = parser.parse_args()
    name, experiment = options.experiment, EXPERIMENTS[options.experiment]
    arms = options.arms or list(experiment.arms)
    if unknown := set(arms) - set(experiment.arms):
        parser.error(f"{name} has no arm {', '.join(unknown)}: {', '.join(experiment.arms)}")
    if options.action == "run":
        run(name, options.root, arms, options.seeds, options.jobs, options.threads)
    curves, runs = gather(experiment, name, options.root, options.seeds, RESULTS)
    write(experiment, name, curves, runs, RESULTS)
    path = RESULTS / f"learning_{name}.png"
    figure(experiment, curves, runs).savefig(path, dpi=120)
    print((RESULTS / f"learning_{name}.json").read_text(), path, sep="")


if __name__ == "__main__":
    main()
