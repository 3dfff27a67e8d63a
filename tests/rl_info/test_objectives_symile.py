"""x, y and x XOR y: no pair holds information, all three hold ln 2. CLIP is blind to it."""

from __future__ import annotations

from itertools import combinations, product

import torch
from torch import nn

from rl_info.objectives import info_nce, symile

WIDTH, BATCH, STEPS = 8, 64, 80
SCALE = 4.0


def bits(generator, rows=BATCH):
    x, y = torch.randint(2, (2, rows, 1), generator=generator)
    return [value.float() for value in (x, y, x ^ y)]


def pairwise(embeddings, generator):
    losses = [info_nce(a, b, 1 / SCALE) for a, b in combinations(embeddings, 2)]
    return torch.stack(losses).mean()


def three_at_once(embeddings, generator):
    return symile(embeddings, SCALE, generator=generator)


def every_tuple(embeddings, generator):
    return symile([e[:16] for e in embeddings], SCALE)


def train(objective, seed):
    generator = torch.Generator().manual_seed(seed)
    encoders = nn.ModuleList(nn.Linear(1, WIDTH) for _ in range(3))
    with torch.no_grad():
        for parameter in encoders.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    optimiser = torch.optim.Adam(encoders.parameters(), lr=0.05)
    for _ in range(STEPS):
        inputs = bits(generator)
        loss = objective([e(v) for e, v in zip(encoders, inputs, strict=True)], generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return encoders


def retrieved(encoders, score):
    """Share of the four inputs (x, y) for which z = x XOR y scores above the other bit."""
    candidates = torch.tensor([[0.0], [1.0]])
    z = nn.functional.normalize(encoders[2](candidates), dim=-1)
    right = 0
    for x, y in product((0.0, 1.0), repeat=2):
        left, other = (nn.functional.normalize(encoder(torch.tensor([[bit]])), dim=-1)
                       for encoder, bit in zip(encoders, (x, y), strict=False))  # fmt: skip
        right += int(score(left, other, z).argmax()) == int(x != y)
    return right / 4


def product_score(x, y, z):
    return (x * y * z).sum(-1)


def pairwise_score(x, y, z):
    return ((x + y) * z).sum(-1)


def test_symile_solves_xor_with_either_kind_of_negatives():
    for objective in (three_at_once, every_tuple):
        for seed in range(2):
            assert retrieved(train(objective, seed), product_score) == 1.0


def test_pairwise_contrast_stays_at_chance():
    scores = [retrieved(train(pairwise, seed), score)
              for seed in range(3) for score in (pairwise_score, product_score)]  # fmt: skip
    assert sum(scores) / len(scores) < 0.75
    assert all(score <= 0.75 for score in scores[::2])


def test_total_correlation_read_from_symile_is_below_the_truth_and_close():
    encoders = train(every_tuple, 0)
    generator = torch.Generator().manual_seed(99)
    embeddings = [e(v) for e, v in zip(encoders, bits(generator, 32), strict=True)]
    estimate = torch.log(torch.tensor(32.0**2)) - symile(embeddings, SCALE)
    truth = torch.log(torch.tensor(2.0))
    assert 0.6 * truth < estimate < truth + 0.05
