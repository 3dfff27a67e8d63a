"""Reads samples of two variables from files of arrays and tables."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import UsageError, nearest

Arrays = Mapping[str, NDArray[np.generic]]
"""Arrays or columns of a file by name."""


def read_samples(
    paths: Sequence[Path], x: str | None, y: str | None
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Samples of x and y: from one file by names, or from two files that hold one each.

    A name may be several, joined by commas: their columns side by side. Raises UsageError.
    """
    if len(paths) == 2:
        left, right = (read_arrays(path) for path in paths)
        return _select(left, x, paths[0], "--x"), _select(right, y, paths[1], "--y")
    if len(paths) != 1:
        raise UsageError(f"give one file, or one for x and one for y; got {len(paths)}")
    arrays = read_arrays(paths[0])
    for flag, name, default in (("--x", x, "x"), ("--y", y, "y")):
        if name is None and default not in arrays:
            raise UsageError(f"{paths[0]} holds {', '.join(arrays)}: say which is meant by {flag}")
    return _select(arrays, x or "x", paths[0], "--x"), _select(arrays, y or "y", paths[0], "--y")


def read_arrays(path: Path) -> Arrays:
    """Every array of an .npz or .npy file, or column of a .csv file with a header, by name."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path} is no {', '.join(READERS)} file: save the samples as one of them")
    try:
        arrays = reader(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    if not arrays:
        raise UsageError(f"{path} holds no arrays")
    return arrays


def _read_npz(path: Path) -> Arrays:
    # Pickles run code of whoever wrote the file.
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_npy(path: Path) -> Arrays:
    return {path.stem: np.load(path, allow_pickle=False)}


def _read_csv(path: Path) -> Arrays:
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    uneven = next((i for i, row in enumerate(rows) if len(row) != len(header)), None)
    if uneven is not None:
        raise ValueError(
            f"row {uneven + 1} has {len(rows[uneven])} values, the header {len(header)} names"
        )
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    return {
        name.strip(): _numbers(name, column) for name, column in zip(header, columns, strict=True)
    }


def _numbers(name: str, column: Sequence[str]) -> NDArray[np.generic]:
    """A column of text as integers if all are, else as floats."""
    for number in (int, float):
        try:
            return np.array([number(value) for value in column])
        except (ValueError, OverflowError):
            continue
    return np.array(column)


def _select(arrays: Arrays, names: str | None, path: Path, flag: str) -> NDArray[np.generic]:
    """The columns of `names` side by side; all of the file's without names."""
    wanted = list(arrays) if names is None else [names] if names in arrays else names.split(",")
    parts = []
    for name in wanted:
        if name not in arrays:
            raise UsageError(
                f"{path} holds nothing called {name!r} ({flag}); {nearest(name, arrays)}"
            )
        value = arrays[name]
        if value.size == 0:
            raise UsageError(f"{name!r} of {path} holds no samples")
        if value.dtype.kind not in "fiub":
            raise UsageError(f"{name!r} of {path} holds {value.dtype}, not numbers")
        if value.ndim not in (1, 2):
            raise UsageError(
                f"{name!r} of {path} has shape {value.shape}; expected (samples,) or "
                "(samples, dimensions): reshape it first"
            )
        parts.append(_as_supported(value.reshape(len(value), -1)))
    if len({len(part) for part in parts}) > 1:
        raise UsageError(f"{', '.join(wanted)} of {path} have different numbers of samples")
    return np.concatenate(parts, axis=1)


def _as_supported(value: NDArray[np.generic]) -> NDArray[np.generic]:
    """Floats of types that estimators lack in the nearest one they have, in native byte order."""
    if value.dtype.kind != "f":
        return value.astype(np.int64)
    return value.astype(np.float32 if value.dtype.itemsize <= 4 else np.float64)


READERS: Mapping[str, Callable[[Path], Arrays]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".csv": _read_csv,
}
"""Reader of each kind of file."""
