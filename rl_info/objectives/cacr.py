"""Contrastive attraction and contrastive repulsion (Zheng et al., TMLR 2023, arXiv 2105.03746)."""

from __future__ import annotations

from itertools import permutations

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distances import squared_distances
from rl_info.objectives.checks import Metrics, require_batch, require_positive, require_views
from rl_info.objectives.geometry import unit, without_diagonal


def attraction_repulsion(
    views: Float[Tensor, "M B D"],
    positive_temperature: float = 1.0,
    negative_temperature: float = 1.0,
) -> tuple[Float[Tensor, ""], Metrics]:
    """CACR: pull distant positives and push near negatives harder than the others.

    With squared distances d² on the unit sphere, attraction is the mean over rows and views of
    Σ_k softmax_k(t⁺ d²) d² over the other views of the sample, and repulsion the mean over rows
    and ordered pairs of views of −Σ_j softmax_j(−t⁻ d²) d² over other samples in the other view
    (arXiv 2105.03746, equations 4 to 7). Dimensionless; the metrics are both terms.

    Limits: no bound of information. With two views each row has one positive and attraction is
    the plain mean of d². The authors' code repels later views from earlier ones only; here every
    view repels every other, so that their order does not matter. The weights take gradients, as in
    that code. The paper tunes both temperatures for each data set; ones are the code's defaults.
    Raises ValueError for fewer than two views or rows, and temperatures that are not positive.
    """
    count, rows, _ = views.shape
    require_views(count)
    require_batch(rows)
    require_positive("positive_temperature", positive_temperature)
    require_positive("negative_temperature", negative_temperature)
    sphere = unit(views)
    samples = sphere.transpose(0, 1)
    positive = torch.stack([without_diagonal(d) for d in squared_distances(samples, samples)])
    pull = (positive * (positive_temperature * positive).softmax(dim=-1)).sum(dim=-1).mean()
    pairs = permutations(sphere, 2)
    negative = torch.stack([without_diagonal(squared_distances(a, b)) for a, b in pairs])
    push = -(negative * (-negative_temperature * negative).softmax(dim=-1)).sum(dim=-1).mean()
    return pull + push, {"attraction": pull.detach(), "repulsion": push.detach()}
