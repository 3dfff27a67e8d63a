"""Slow and obvious references of the objectives: loops over plain numbers, one term at a time."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product


def rows(tensor):
    return tensor.detach().double().tolist()


def dot(a, b):
    return sum(p * q for p, q in zip(a, b, strict=True))


def sphere(vectors):
    return [[value / math.sqrt(dot(v, v)) for value in v] for v in vectors]


def distance(a, b):
    return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def softmax(values):
    total = sum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


def one_sided(x, y, temperature):
    x, y = sphere(rows(x)), sphere(rows(y))
    terms = []
    for i, anchor in enumerate(x):
        scores = [math.exp(dot(anchor, key) / temperature) for key in y]
        terms.append(-math.log(scores[i] / sum(scores)))
    return mean(terms)


def nt_xent(x, y, temperature):
    views = [sphere(rows(x)), sphere(rows(y))]
    terms = []
    for k, i in product(range(2), range(len(views[0]))):
        scores = {(view, j): math.exp(dot(views[k][i], views[view][j]) / temperature)
                  for view in range(2) for j in range(len(views[0]))
                  if (view, j) != (k, i)}  # fmt: skip
        terms.append(-math.log(scores[1 - k, i] / sum(scores.values())))
    return mean(terms)


def decoupled(x, y, temperature, concentration=None):
    views = [sphere(rows(x)), sphere(rows(y))]
    size = len(views[0])
    positive = [dot(views[0][i], views[1][i]) for i in range(size)]
    weights = [1.0] * size
    if concentration is not None:
        powers = [math.exp(s / concentration) for s in positive]
        weights = [2 - power / mean(powers) for power in powers]
    terms = []
    for k, i in product(range(2), range(size)):
        negatives = sum(math.exp(dot(views[k][i], views[view][j]) / temperature)
                        for view in range(2) for j in range(size) if j != i)  # fmt: skip
        terms.append(-weights[i] * positive[i] / temperature + math.log(negatives))
    return mean(terms)


def attraction_repulsion(views, hot, cold):
    views = [sphere(rows(v)) for v in views]
    size, count = len(views[0]), len(views)
    pull, push = [], []
    for k, i in product(range(count), range(size)):
        costs = [distance(views[k][i], views[other][i]) for other in range(count) if other != k]
        pull.append(dot(softmax([hot * c for c in costs]), costs))
    for (k, other), i in product(permutations(range(count), 2), range(size)):
        costs = [distance(views[k][i], views[other][j]) for j in range(size) if j != i]
        push.append(-dot(softmax([-cold * c for c in costs]), costs))
    return mean(pull) + mean(push)


def mv_info_nce(views, temperature):
    views = [sphere(rows(v)) for v in views]
    size, count = len(views[0]), len(views)
    terms = []
    for i in range(size):
        above = 2 * sum(math.exp(dot(views[k][i], views[other][i]) / temperature)
                        for k, other in combinations(range(count), 2))  # fmt: skip
        below = sum(math.exp(dot(views[k][i], views[other][j]) / temperature)
                    for k, other, j in product(range(count), range(count), range(size))
                    if (k, i) != (other, j))  # fmt: skip
        terms.append(-math.log(above / below))
    return mean(terms)


def mv_dhel(views, temperature):
    views = [sphere(rows(v)) for v in views]
    size, count = len(views[0]), len(views)
    terms = []
    for i in range(size):
        term = -math.log(sum(math.exp(dot(views[k][i], views[other][i]) / temperature)
                             for k, other in combinations(range(count), 2)))  # fmt: skip
        for view in views:
            term += math.log(sum(math.exp(dot(view[i], view[j]) / temperature)
                                 for j in range(size) if j != i))  # fmt: skip
        terms.append(term)
    return mean(terms)


def symile_all(modalities, scale):
    """Every tuple of the other modalities' rows is a candidate."""
    modalities = [sphere(rows(z)) for z in modalities]
    size, losses = len(modalities[0]), []
    for index, anchors in enumerate(modalities):
        others = modalities[:index] + modalities[index + 1 :]
        for i, anchor in enumerate(anchors):
            scores = {}
            for places in product(range(size), repeat=len(others)):
                chosen = [other[place] for other, place in zip(others, places, strict=True)]
                score = sum(math.prod(values) for values in zip(anchor, *chosen, strict=True))
                scores[places] = math.exp(scale * score)
            losses.append(-math.log(scores[(i,) * len(others)] / sum(scores.values())))
    return mean(losses)


def adaptive_multi_head(x, y, temperatures, regularisation):
    terms = []
    size, width = x.shape[1], x.shape[2]
    for i in range(size):
        total = 0.0
        for c in range(x.shape[0]):
            a, b, tau = sphere(rows(x[c])), sphere(rows(y[c])), rows(temperatures[c])
            n = max((j for j in range(size) if j != i), key=lambda j: dot(a[i], b[j]))
            total += dot(a[i], b[n]) / tau[i][n] - dot(a[i], b[i]) / tau[i][i]
            total += regularisation * (width / 2 * math.log(tau[i][i]) + 1 / tau[i][i])
            total -= regularisation * (width / 2 * math.log(tau[i][n]) + 1 / tau[i][n])
        terms.append(total)
    return mean(terms)


def uniformity(z, bandwidth):
    return math.log(mean(math.exp(-distance(z[i], z[j]) / (2 * bandwidth))
                         for i, j in combinations(range(len(z)), 2)))  # fmt: skip


def common_and_salient(common, salient, is_target, weights, bandwidth):
    common = [sphere(rows(c)) for c in common]
    salient, is_target = [rows(s) for s in salient], is_target.tolist()
    size = len(is_target)
    silent = [[v if t else [0.0] * len(v) for v, t in zip(s, is_target, strict=True)]
              for s in salient]  # fmt: skip
    loss = mean(distance(common[0][i], common[1][i]) for i in range(size)) / (2 * bandwidth)
    loss += sum(uniformity(c, bandwidth) for c in common)
    targets = [i for i in range(size) if is_target[i]]
    own = mean(distance(salient[0][i], salient[1][i]) for i in targets) / (2 * bandwidth)
    own += sum(uniformity(s, bandwidth) for s in silent)
    quiet = mean(dot(s[i], s[i]) / (2 * bandwidth)
                 for s in salient for i in range(size) if not is_target[i])  # fmt: skip
    joint = mean(
        math.log(mean(
            math.exp(-(distance(c[i], c[j]) + distance(s[i], s[j])) / (2 * bandwidth))
            for j in range(size)
        ))
        for c, s in zip(common, silent, strict=True) for i in range(size)
    )  # fmt: skip
    return loss + weights[0] * own + weights[1] * quiet + weights[2] * joint


def barlow_twins(x, y, redundancy, epsilon):
    size, width = x.shape

    def standard(z):
        columns = []
        for column in zip(*rows(z), strict=True):
            centre = mean(column)
            scale = math.sqrt(mean((v - centre) ** 2 for v in column) + epsilon)
            columns.append([(v - centre) / scale for v in column])
        return columns

    a, b = standard(x), standard(y)
    loss = 0.0
    for i, j in product(range(width), repeat=2):
        c = dot(a[i], b[j]) / size
        loss += (1 - c) ** 2 if i == j else redundancy * c**2
    return loss


def kernel(a, b, bandwidth):
    return math.exp(-distance(a, b) / (2 * bandwidth**2))


def cauchy_schwarz_information(x, y, x_bandwidth, y_bandwidth):
    x, y = rows(x), rows(y)
    size = len(x)
    k = [[kernel(a, b, x_bandwidth) for b in x] for a in x]
    m = [[kernel(a, b, y_bandwidth) for b in y] for a in y]
    joint = sum(k[i][j] * m[i][j] for i, j in product(range(size), repeat=2)) / size**2
    both = sum(map(sum, k)) * sum(map(sum, m)) / size**4
    cross = sum(k[i][j] * m[i][n]
                for i, j, n in product(range(size), repeat=3)) / size**3  # fmt: skip
    return math.log(joint) + math.log(both) - 2 * math.log(cross)


def conditional_cauchy_schwarz(x, target, prediction, x_bandwidth, y_bandwidth):
    x, target, prediction = rows(x), rows(target), rows(prediction)

    def term(a, b):
        total = 0.0
        for j in range(len(x)):
            weights = [kernel(x[j], other, x_bandwidth) for other in x]
            values = [kernel(a[j], other, y_bandwidth) for other in b]
            total += dot(weights, values) / sum(weights) ** 2
        return math.log(total)

    return term(target, target) + term(prediction, prediction) - 2 * term(prediction, target)


def rate(means, log_stds):
    return mean(
        sum(0.5 * (m**2 + math.exp(2 * s) - 1) - s for m, s in zip(ms, ss, strict=True))
        for ms, ss in zip(rows(means), rows(log_stds), strict=True)
    )


def contrast_of_codes(codes, temperature):
    z = sphere(rows(codes))
    terms = []
    for i in range(len(z)):
        own = math.exp(1 / temperature)
        others = mean(math.exp(dot(z[i], z[j]) / temperature) for j in range(len(z)) if j != i)
        terms.append(-math.log(own / (own + others)))
    return mean(terms)
