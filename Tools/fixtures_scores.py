#!/usr/bin/env python3
"""Makes Tests/Fixtures/scores/surface_distances.json: surface metrics of masks by numpy and scipy alone.

Surface: voxels with one of six neighbours outside the mask (the image's outside included), in one slice one of four.
Axes of arrays are z, y, x; spacings are written x, y, z, as in the Swift code.
"""
import json
import pathlib

import numpy as np
from scipy import ndimage

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "scores"


def surface(mask):
    return mask & ~ndimage.binary_erosion(mask, border_value=0)


def directed(a, b, spacing_xyz):
    """Distances from a's surface to b's, the maps over the full image (nothing is cropped here)."""
    to_b = ndimage.distance_transform_edt(~surface(b), sampling=spacing_xyz[::-1])
    return to_b[surface(a)]


def metrics(prediction, reference, spacing_xyz, tolerances):
    if len(prediction) == 1:
        prediction, reference, spacing_xyz = prediction[0], reference[0], spacing_xyz[:2]
    ab, ba = directed(prediction, reference, spacing_xyz), directed(reference, prediction, spacing_xyz)
    pooled = np.concatenate([ab, ba])
    return {
        "dice": 2 * float((prediction & reference).sum()) / float(prediction.sum() + reference.sum()),
        "meanPredictionToReference": ab.mean(),
        "meanReferenceToPrediction": ba.mean(),
        "assd": pooled.mean(),
        "percentile95": [np.percentile(ab, 95), np.percentile(ba, 95)],
        "hausdorff": max(ab.max(), ba.max()),
        "nsd": [float((pooled <= t * (1 + 1e-6)).mean()) for t in tolerances],
        "surfaceVoxels": [len(ab), len(ba)],
    }


def runs(mask):
    """Lengths of runs in x-fastest order, the first of false voxels."""
    flat = mask.ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return ([0] if flat[0] else []) + lengths


def blob(generator, shape_zyx, sigma, share):
    noise = ndimage.gaussian_filter(generator.standard_normal(shape_zyx), sigma)
    return noise > np.quantile(noise, 1 - share)


def cases():
    generator = np.random.default_rng(7)
    for name, shape, spacing in [
        ("isotropic", (14, 16, 18), (1.0, 1.0, 1.0)),
        ("anisotropic", (9, 20, 17), (0.625, 0.75, 3.6)),
        ("one slice", (1, 24, 20), (0.5, 0.8, 5.0)),
    ]:
        for number in range(2):
            a = blob(generator, shape, 2, 0.2)
            b = blob(generator, shape, 1.5, 0.15)
            yield f"{name} {number}", spacing, a, b
    # Touching every border, and holes inside.
    full = np.ones((6, 7, 8), bool)
    holed = full.copy()
    holed[2:4, 3, 4:6] = False
    yield "whole image against holes", (0.9, 1.1, 2.0), full, holed
    one, other = np.zeros((5, 6, 7), bool), np.zeros((5, 6, 7), bool)
    one[1, 2, 3] = True
    other[4, 0, 6] = True
    yield "two single voxels", (0.5, 1.5, 2.5), one, other


def main():
    tolerances = [0.8, 1.0, 2.0]
    fixtures = [
        {
            "name": name,
            "size": list(a.shape[::-1]),
            "spacingMM": list(spacing),
            "tolerancesMM": tolerances,
            "prediction": runs(a),
            "reference": runs(b),
            "expected": metrics(a, b, spacing, tolerances),
        }
        for name, spacing, a, b in cases()
    ]
    ROOT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(fixtures, separators=(",", ":")).replace('},{"name"', '},\n{"name"')
    (ROOT / "surface_distances.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
