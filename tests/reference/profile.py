"""User profiles, item by item and feature by feature, from dictionaries."""

from __future__ import annotations

import math
from collections import Counter


def block(labels_of_items):
    """labels_of_items: a list of labels for each item -> a dictionary label -> weight for each, of length 1."""
    known = sum(bool(labels) for labels in labels_of_items)
    having = Counter(label for labels in labels_of_items for label in set(labels))
    out = []
    for labels in labels_of_items:
        counts = Counter(labels)
        raw = {label: n * (math.log((1 + known) / (1 + having[label])) + 1) for label, n in counts.items()}
        length = math.sqrt(sum(weight**2 for weight in raw.values()))
        out.append({label: weight / length for label, weight in raw.items()})
    return out


def side_by_side(blocks, weights):
    """blocks: name -> as `block` gives them; weights: name -> number. One {(name, label): weight} an item."""
    n_items = len(next(iter(blocks.values())))
    return [{(name, label): weights[name] * value for name, items in blocks.items()
             for label, value in items[item].items()} for item in range(n_items)]


def scores(vectors, history, confidences, bonus):
    """history: distinct items; one score an item of the catalogue."""
    profile = Counter()
    for item, confidence in zip(history, confidences, strict=True):
        for feature, weight in vectors[item].items():
            profile[feature] += confidence * weight
    return [cosine(profile, vector) + more for vector, more in zip(vectors, bonus, strict=True)]


def cosine(one, two):
    lengths = math.sqrt(sum(x**2 for x in one.values())) * math.sqrt(sum(x**2 for x in two.values()))
    return sum(one[key] * value for key, value in two.items() if key in one) / lengths if lengths else 0.0
