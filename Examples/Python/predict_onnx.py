"""Segments a volume with an exported graph, which says all that this needs.

    python3 predict_onnx.py MODEL.onnx IMAGE [IMAGE ...] MASK

An image is a NIfTI file of one modality. Needs onnxruntime, nibabel, numpy and scipy.
"""
import itertools
import json
import sys

import nibabel
import numpy as np
import onnxruntime
from nibabel import orientations
from scipy import ndimage


def resized(volume, sizes):
    """Interpolates linearly; the edges of the volume stay in place."""
    for axis, new in enumerate(sizes):
        old = volume.shape[axis]
        place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = place.astype(int)
        share = (place - low).reshape([-1 if one == axis else 1 for one in range(volume.ndim)])
        volume = volume.take(low, axis) * (1 - share) + volume.take(np.minimum(low + 1, old - 1), axis) * share
    return volume


def whitened(volume, plan):
    if "window" in plan:
        volume = np.clip(volume, *plan["window"])
    chosen = volume[volume > volume.mean(dtype=float)] if plan.get("whitening") == "foreground" else volume
    if chosen.size == 0 or chosen.var(dtype=float) < 0.01 * volume.var(dtype=float):
        chosen = volume
    moments = plan.get("moments") or {"mean": chosen.mean(dtype=float), "deviation": chosen.std(dtype=float)}
    return ((volume.astype(float) - moments["mean"]) / moments["deviation"]).astype(np.float32)


def starts(length, side):
    """Evenly spread, at most half a window apart; before the volume where that is smaller."""
    count = int(np.ceil(max(length - side, 0) / max(side / 2, 1))) + 1
    return [-((side - length) >> 1)] if count == 1 else [round((length - side) / (count - 1) * i) for i in range(count)]


def probabilities(session, volume, plan, multiples):
    """Class probabilities of a volume [modality, z, y, x] on the network's grid, [class, z, y, x]."""
    around = plan["context_slices"] // 2
    sides = [max(size, multiple) for size, multiple in zip(volume.shape[-len(multiples):], multiples)]
    if plan.get("pads_slices", True):
        sides = plan.get("network_size") or [-(-side // multiple) * multiple for side, multiple in zip(sides, multiples)]
    sides = [1] * (3 - len(sides)) + list(sides)
    gauss = [np.exp(-((np.arange(side) - side // 2) ** 2) / (2 * (side / 8) ** 2)) for side in sides]
    weight = gauss[0][:, None, None] * gauss[1][:, None] * gauss[2]
    total, weights = 0, np.zeros(volume.shape[1:])
    for corner in itertools.product(*(starts(length, side) for length, side in zip(volume.shape[1:], sides))):
        places = [np.arange(start, start + side) for start, side in zip(corner, sides)]
        if len(multiples) == 2:
            places[0] = np.arange(corner[0] - around, corner[0] + around + 1)
        window = volume[np.ix_(range(len(volume)), *(np.clip(at, 0, n - 1) for at, n in zip(places, volume.shape[1:])))]
        image = window if len(multiples) == 3 else window.reshape(-1, *window.shape[2:])
        found = session.run(["probabilities"], {"image": image[None]})[0][0].reshape(-1, *sides)
        box = [slice(max(start, 0), min(start + side, n)) for start, side, n in zip(corner, sides, volume.shape[1:])]
        part = tuple(slice(one.start - start, one.stop - start) for one, start in zip(box, corner))
        if np.isscalar(total):
            total = np.zeros((len(found), *volume.shape[1:]))
        total[(slice(None), *box)] += np.log(np.maximum(found, 1e-38))[(slice(None), *part)] * weight[part]
        weights[tuple(box)] += weight[part]
    scores = np.exp(total / weights)
    return scores / scores.sum(0)


def main(model, images, output):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    if "probabilities" not in [output.name for output in session.get_outputs()]:
        sys.exit("predict_onnx: the graph gives masks; export it with --output-kind probabilities")
    facts = session.get_modelmeta().custom_metadata_map
    plan = json.loads(facts["dualnorm.model"])["preparation"]
    if "nnunet" in plan:
        sys.exit("predict_onnx: the model prepares volumes as nnU-Net does, which this example does not")
    files = [nibabel.load(image) for image in images]
    stored = orientations.io_orientation(files[0].affine)
    target = orientations.axcodes2ornt(plan["orientation"]) if "orientation" in plan else stored
    turn = orientations.ornt_transform(stored, target)
    volumes = [orientations.apply_orientation(np.asarray(file.dataobj, np.float32), turn).T for file in files]
    zooms = np.empty(3)
    zooms[turn[:, 0].astype(int)] = nibabel.affines.voxel_sizes(files[0].affine)
    sizes = list(volumes[0].shape)
    for axis, spacing in enumerate(plan.get("spacing_mm", [])):
        sizes[2 - axis] = max(int(sizes[2 - axis] * zooms[axis] / spacing + 0.5), 1)
    sizes[1:] = plan.get("size", sizes[1:])
    prepared = np.stack([resized(whitened(volume, plan), sizes).astype(np.float32) for volume in volumes])
    found = probabilities(session, prepared, plan, json.loads(facts["dualnorm.multiples"]))
    classes = np.stack([resized(one, volumes[0].shape) for one in found]).argmax(0)
    for index in json.loads(facts["dualnorm.largest_component"]):
        parts, count = ndimage.label(classes == index, np.ones((3, 3, 3)))
        classes[(parts > 0) & (parts != np.bincount(parts[parts > 0], minlength=1).argmax())] = 0
    values = np.array([label["value"] for label in json.loads(facts["dualnorm.labels"])], np.uint16)
    mask = orientations.apply_orientation(values[classes].T, orientations.ornt_transform(target, stored))
    nibabel.save(nibabel.Nifti1Image(mask, files[0].affine), output)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:-1], sys.argv[-1])
