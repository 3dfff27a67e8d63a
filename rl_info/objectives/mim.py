"""Mutual information machines, which reconstruct (arXiv 1910.03175, 2003.02645, 2502.19642)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from rl_info.objectives.checks import Metrics, Positive, require_batch
from rl_info.objectives.geometry import log_mean_exp, similarities, without_diagonal


def mutual_information_machine(
    log_likelihood: Float[Tensor, "B"],
    log_posterior: Float[Tensor, "B"],
    log_prior: Float[Tensor, "B"],
) -> tuple[Float[Tensor, ""], Metrics]:
    """A-MIM: consistent encoder and decoder with high mutual information, in nats.

    −mean[ln p(x|z) + ½(ln q(z|x) + ln P(z))] with z drawn from the encoder q(z|x) by
    reparameterisation (Livne et al., arXiv 1910.03175; in this asymmetric form arXiv 2003.02645,
    equation 6). Against the ELBO the sign of ln q(z|x) is turned: it rewards certain codes, and
    with them I(X;Z), where a VAE pays for them. The metrics are the means of the three terms.

    Limits: needs a decoder ln p(x|z), that is, it reconstructs its input. It is here to be
    compared with and stays outside the reconstruction-free models. Unbounded below for continuous
    codes unless the posterior's deviation is: bound it.
    """
    terms = {
        "log_likelihood": log_likelihood.mean(),
        "log_posterior": log_posterior.mean(),
        "log_prior": log_prior.mean(),
    }
    regular = (terms["log_posterior"] + terms["log_prior"]) / 2
    metrics = {name: value.detach() for name, value in terms.items()}
    return -(terms["log_likelihood"] + regular), metrics


def contrastive_mutual_information_machine(
    log_likelihood: Float[Tensor, "B"],
    log_posterior: Float[Tensor, "B"],
    log_prior: Float[Tensor, "B"],
    codes: Float[Tensor, "B D"],
    temperature: Positive = 0.1,
) -> tuple[Float[Tensor, ""], Metrics]:
    """cMIM: A-MIM plus the surprise of telling a sample's own code from the others', in nats.

    Adds −mean_i ln [e^{1/τ} / (e^{1/τ} + mean_{j≠i} e^{z_i·z_j/τ})] of unit codes: the negatives
    enter by their mean, not their sum, so that the batch size hardly matters, and a sample is its
    own positive (cosine 1), so that no augmentation is needed (Livne, arXiv 2502.19642). The
    metrics are those of A-MIM and the contrastive term.

    Limits: those of A-MIM, reconstruction first; the contrastive term only spreads directions and
    is no bound of information. That the positive is exactly 1 and the mean excludes i is read
    from descriptions of the paper and not certain. Raises ValueError for fewer than two rows or
    a temperature that is not positive.
    """
    require_batch(codes.shape[0])
    loss, metrics = mutual_information_machine(log_likelihood, log_posterior, log_prior)
    others = log_mean_exp(without_diagonal(similarities(codes, codes, temperature)))
    contrast = softplus(others - 1 / temperature).mean()
    return loss + contrast, metrics | {"contrast": contrast.detach()}
