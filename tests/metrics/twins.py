"""Slow definitions to hold the fast figures against."""

import itertools

import numpy as np


def auc(genuine, distance, weights=None):
    """Every genuine pair against every impostor pair; a tie is half a win."""
    weights = np.ones(len(genuine)) if weights is None else weights
    wins = total = 0.0
    for g, i in itertools.product(np.flatnonzero(genuine), np.flatnonzero(~genuine)):
        weight = weights[g] * weights[i]
        wins += weight * ((distance[g] < distance[i]) + 0.5 * (distance[g] == distance[i]))
        total += weight
    return wins / total


def operating_points(genuine, distance):
    """(far, tar) of every threshold that matters, the empty one first."""
    thresholds = sorted(set(distance))
    accepted = [np.zeros(len(distance), bool), *(distance <= t for t in thresholds)]
    return [(a[~genuine].mean(), a[genuine].mean()) for a in accepted]


def equal_error_rate(genuine, distance):
    """Bisection along the polygon through all operating points for FAR = 1 - TAR."""
    points = np.array(operating_points(genuine, distance))
    low, high = 0.0, len(points) - 1.0
    position = np.arange(len(points))
    for _ in range(80):
        middle = (low + high) / 2
        far, tar = (np.interp(middle, position, points[:, axis]) for axis in (0, 1))
        low, high = (middle, high) if far < 1 - tar else (low, middle)
    return np.interp(low, position, points[:, 0])


def tar_at_far(genuine, distance, far):
    return max(tar for found, tar in operating_points(genuine, distance) if found <= far)


def best_accuracy(genuine, distance, balanced=False):
    decisions = [np.zeros(len(distance), bool), *(distance <= t for t in distance)]
    if balanced:
        return max((d[genuine].mean() + (~d[~genuine]).mean()) / 2 for d in decisions)
    return max(np.mean(d == genuine) for d in decisions)


def identity_errors(labels, distance, threshold):
    """Per label: images, errors, {confused label: how often}, genuine pairs, rejected ones."""
    table = {}
    for (a, b), value in zip(itertools.combinations(range(len(labels)), 2), distance):
        table[a, b] = table[b, a] = value
    found = {}
    for label in sorted(set(labels)):
        own = [i for i, other in enumerate(labels) if other == label]
        others = [i for i, other in enumerate(labels) if other != label]
        confused = {}
        for i in own:
            mates = [table[i, j] for j in own if j != i]
            if mates and others:
                nearest = min(others, key=lambda j, i=i: (table[i, j], j))
                if table[i, nearest] <= min(mates):
                    confused[labels[nearest]] = confused.get(labels[nearest], 0) + 1
        pairs = [table[pair] for pair in itertools.combinations(own, 2)]
        rejected = sum(value > threshold for value in pairs)
        found[label] = (len(own), sum(confused.values()), confused, len(pairs), rejected)
    return found


def nearest_neighbour(enrolled, labels, probes):
    """Label of the nearest enrolled vector, one probe and one vector at a time."""
    named = []
    for probe in probes:
        best = None
        for vector, label in zip(enrolled, labels):
            distance = sum((float(a) - float(b)) ** 2 for a, b in zip(vector, probe))
            if best is None or distance < best[0]:
                best = distance, label
        named.append(best[1])
    return named


def nearest_mean(enrolled, labels, probes):
    """The nearest neighbour among one vector for each person: the mean, scaled to length 1."""
    people = sorted(set(labels))
    means = []
    for person in people:
        own = [vector for vector, label in zip(enrolled, labels) if label == person]
        mean = [sum(map(float, numbers)) / len(own) for numbers in zip(*own)]
        length = sum(number**2 for number in mean) ** 0.5
        means.append([number / length for number in mean])
    return nearest_neighbour(means, people, probes)


def searched(gallery, enrolled, probes, people, tie=1e-9):
    """(own, foreign, ahead) of every probe: distances to people by loops over pictures."""
    found = []
    for probe, person in zip(probes, people):
        if np.isnan(probe).any():
            found.append((np.inf, np.inf, len({*enrolled})))
            continue
        nearest = {}
        for vector, name in zip(gallery, enrolled):
            distance = sum((float(a) - float(b)) ** 2 for a, b in zip(vector, probe))
            nearest[name] = min(distance, nearest.get(name, np.inf))
        own = nearest.pop(person, np.inf)
        ahead = [distance for distance in nearest.values() if distance <= own + tie]
        found.append((own, min(nearest.values(), default=np.inf), len(ahead)))
    return found


def detection_rate(found, known, far):
    """The best DIR of all thresholds whose FAR is at most `far`, tried one by one."""
    thresholds = [-np.inf, *(own for own, _, _ in found), *(foreign for _, foreign, _ in found)]
    best = 0.0
    for threshold in thresholds:
        alarms = [foreign <= threshold for (_, foreign, _), k in zip(found, known) if not k]
        right = [
            own <= threshold and own < np.inf and ahead == 0
            for (own, _, ahead), k in zip(found, known)
            if k
        ]
        if threshold < np.inf and np.mean(alarms) <= far:
            best = max(best, float(np.mean(right)))
    return best


def average_precision(distance, same):
    """Of a list of distances and flags: precision at every own picture, others first in a tie."""
    order = sorted(range(len(distance)), key=lambda row: (distance[row], same[row]))
    hits, precisions = 0, []
    for place, row in enumerate(order, start=1):
        if same[row]:
            hits += 1
            precisions.append(hits / place)
    return float(np.mean(precisions))
