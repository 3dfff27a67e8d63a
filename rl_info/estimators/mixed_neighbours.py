"""Information between a label and a vector, from counts of neighbours (Ross 2014)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.special import digamma

from rl_info.estimators.neighbours import Norm, neighbour_distances, range_counts
from rl_info.estimators.ties import copies


def label_information(
    labels: Int64[np.ndarray, " L"],
    y: Float[np.ndarray, "N Y"],
    k: int = 3,
    norm: Norm = "euclidean",
    threads: int | None = None,
) -> Float64[np.ndarray, " N"]:
    """N terms whose mean is I(label; y) in nats: ψ(N) − ψ(N_z) + ψ(k) − ψ(m).

    N_z samples carry the label z of a sample. With d its distance from its k-th neighbour among
    those, m counts all samples up to d away, whatever their label (Ross, PLoS ONE 9(2) e87357,
    2014). A label of k samples or fewer takes its N_z − 1 others for k. Where d is 0, y has an
    atom: k and m then count the samples that are equal to it, as in Gao et al. 2017
    (arXiv 1709.06212), so that a y of atoms alone gives the counts of a table.

    The mean is on no side of the truth: nearly unbiased near independence, where it may be
    negative; for labels told apart fully it is ψ(N) − ⟨ψ(N_z)⟩, above H(label) by about
    (K − 1)/(2N) for K labels, and never more. Distances mix the columns of y: bring those to one
    scale first.

    Raises ValueError for lengths that differ, a y that is not finite, k below 1, and a label that
    only one sample carries.
    """
    _, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    _check(labels, y, k, sizes)
    points = np.ascontiguousarray(y, dtype=np.float64)
    nearest = np.minimum(k, sizes[place] - 1)
    # A column that sets labels farther apart than any two samples: one search for all labels.
    apart = place * (1.0 + 2.0 * np.ptp(points, axis=0).sum())
    found = neighbour_distances(np.column_stack([points, apart]), int(nearest.max()), norm, threads)
    radii = found[np.arange(len(points)), nearest - 1]
    # The sample at the radius itself is one of the m: strictly nearer ones, and it.
    within = range_counts(points, radii, norm, threads) + 1
    at_atom = radii == 0
    if at_atom.any():
        nearest[at_atom] = copies(np.column_stack([place, points]))[at_atom]
        within[at_atom] = copies(points)[at_atom]
    terms = digamma(len(points)) - digamma(sizes[place]) + digamma(nearest) - digamma(within)
    return np.asarray(terms, dtype=np.float64)


def _check(
    labels: Int64[np.ndarray, " L"],
    y: Float[np.ndarray, "N Y"],
    k: int,
    sizes: Int64[np.ndarray, " K"],
) -> None:
    if len(labels) != len(y):
        raise ValueError(f"{len(labels)} labels for {len(y)} samples: give one for each")
    if k < 1:
        raise ValueError(f"k must be at least 1 neighbour, got {k}")
    if not np.isfinite(y).all():
        raise ValueError("y is not finite everywhere: remove those samples")
    if len(sizes) == 0 or sizes.min() < 2:
        raise ValueError("every label needs two samples or more: remove the others")
