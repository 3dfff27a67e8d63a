"""One seed for a run, independent streams for its parts."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def derive_seed(seed: int, part: str) -> int:
    """A seed in [0, 2^31) for the named part of the run with this seed.

    Parts are told apart by name rather than by order, so that a new part never changes the random
    numbers of the others.
    """
    sequence = np.random.SeedSequence([seed, zlib.crc32(part.encode())])
    return int(sequence.generate_state(1)[0] >> 1)


def torch_generator(seed: int, part: str) -> torch.Generator:
    """A CPU generator for the named part of the run with this seed."""
    return torch.Generator().manual_seed(derive_seed(seed, part))


def numpy_generator(seed: int, part: str) -> np.random.Generator:
    """A numpy generator for the named part of the run with this seed."""
    return np.random.default_rng(derive_seed(seed, part))
