"""Makes Tests/Fixtures/nnunet with nnU-Net itself: tiny trained models and what nnU-Net predicts with them.

    python Tools/fixtures_nnunet.py WORK_FOLDER [NAME ...]

Made with nnunetv2 2.8.1, dynamic-network-architectures 0.4.4, torch 2.11.0, numpy 2.4.6, scipy 1.17.1,
scikit-image 0.26.0 and SimpleITK 2.5.7. nnU-Net plans, preprocesses and trains; between planning and preprocessing the
networks shrink. The images are noise with blobs of two classes. Another processor trains to other weights.

A folder NAME is as nnU-Net trains it, with input/CASE_000N.nii.gz, and in CASE/
    mask.nii.gz, unmirrored.nii.gz   the masks, with mirroring and without
    probabilities.safetensors        "probabilities" [classes, z, y, x], with mirroring
    preprocessed.safetensors         "data" [channels, ...], and "logits" before nnU-Net resamples them, in half there
and network.safetensors with the logits of the network of fold 0 for one input. `refused` has folders like plain-2d in
all but what their names say, without the optimizer's state.
"""
import json
import os
import shutil
import sys
import time
from pathlib import Path

WORK = Path(sys.argv[1] if len(sys.argv) > 1 else "nnunet-work").resolve()
for name in ("raw", "preprocessed", "results"):
    os.environ["nnUNet_" + name] = str(WORK / name)
os.environ.update(nnUNet_def_n_proc="1", nnUNet_compile="false", OMP_NUM_THREADS="1")

import numpy as np  # noqa: E402
import SimpleITK  # noqa: E402
import torch  # noqa: E402
from nnunet_refused import make_refused  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

FIXTURES = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "nnunet"
LABELS = {"background": 0, "large": 1, "small": 2}
CPU = torch.device("cpu")


def turn(x, y, z):
    """Direction cosines: turns about the three axes, in degrees."""
    a, b, c = np.deg2rad([x, y, z])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


# Sizes and spacings are of arrays: z, y, x. A test is a size, a spacing and a direction.
MODELS = {
    # The second axis is the coarse one: nnU-Net moves it to the front.
    "plain-2d": dict(
        number=901, configuration="2d", channels=["MR"], types=["int16"], folds=[0], epochs=4, iterations=100,
        size=(28, 10, 30), spacings=[(1.0, 4.0, 0.9), (1.1, 4.2, 0.9), (1.0, 4.0, 1.0)],
        patch=[24, 24], batch=8, kernels=[[3, 3]] * 3, strides=[[1, 1], [2, 2], [2, 2]],
        tests={"first": ((26, 9, 31), (1.25, 4.4, 0.8), np.diag([-1, -1, 1])),
               # Smaller than a window after resampling.
               "second": ((15, 4, 28), (1.3, 4.0, 1.15), np.eye(3))}),
    "plain-3d-ct": dict(
        number=902, configuration="3d_fullres", channels=["CT"], types=["int16"], folds=[0, 1], epochs=4,
        iterations=100, size=(12, 28, 30), spacings=[(5.0, 1.2, 1.1), (5.0, 1.1, 1.1), (4.8, 1.2, 1.2)],
        patch=[8, 20, 20], batch=2, kernels=[[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        strides=[[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        tests={"first": ((10, 26, 27), (6.1, 1.35, 1.0), turn(20, -15, 35)),
               # Its own spacing is not so uneven that axes are resampled one by one, but the plans' is.
               "second": ((19, 20, 22), (2.9, 1.4, 1.5), np.diag([1, -1, -1])),
               # Its coarse axis is another than the plans', and it has fewer slices than a window.
               "third": ((20, 8, 21), (1.3, 4.9, 1.15), np.diag([-1, 1, -1]))}),
    "plain-3d-mr": dict(
        number=903, configuration="3d_fullres", channels=["T1", "T2"], types=["float32", "int16"], folds=[0], epochs=4,
        iterations=100, size=(28, 30, 32), spacings=[(1.1, 1.0, 0.9), (1.1, 1.0, 1.0), (1.2, 1.0, 0.9)], border=True,
        patch=[16, 16, 16], batch=2, kernels=[[3, 3, 3]] * 3, strides=[[1, 1, 1], [2, 2, 2], [2, 2, 2]],
        tests={"first": ((24, 30, 26), (1.35, 0.85, 1.1), np.diag([-1, -1, 1]) @ turn(0, 10, 0))}),
    "residual-3d": dict(
        number=904, configuration="3d_fullres", channels=["MR"], types=["uint8"], folds=[0], epochs=4, iterations=100,
        size=(22, 24, 26), spacings=[(1.0, 1.0, 1.0)], planner="nnUNetPlannerResEncM",
        patch=[16, 16, 16], batch=2, kernels=[[3, 3, 3]] * 3, strides=[[1, 1, 1], [2, 2, 2], [2, 2, 2]],
        blocks=[1, 2, 2],
        tests={"first": ((21, 25, 23), (1.0, 1.0, 1.0), np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]))}),
}


def picture(noise, size, spacing, types, border=False):
    """Channels of noise with ellipsoids of the two classes, some of each, and their labels."""
    grid = np.stack(np.meshgrid(*[np.arange(each) * step for each, step in zip(size, spacing)], indexing="ij"), -1)
    extent = np.array(size) * spacing
    labels = np.zeros(size, np.uint8)
    for label, count, radius in ((1, 2, 0.21), (2, 3, 0.12)):
        for _ in range(count):
            centre = extent * noise.uniform(0.34, 0.66, 3)
            # Not so thin that it lies between two slices.
            radii = np.maximum(extent * radius * noise.uniform(0.8, 1.2, 3), 0.8 * np.array(spacing))
            labels[(((grid - centre) / radii) ** 2).sum(-1) < 1] = label
    channels = []
    for index, kind in enumerate(types):
        level = np.choose(labels, ([100, 150, 60], [90, 110, 170])[index]) + noise.normal(0, 14, size)
        if border:
            inside = (((grid / extent - 0.5) / 0.4) ** 2).sum(-1) < 1
            # A hole, which nnU-Net fills.
            inside[tuple(np.array(size) // 2)] = False
            level = np.where(inside, np.maximum(level, 1), 0)
        channels.append((level if kind == "float32" else np.clip(np.rint(level), 0, 255)).astype(kind))
    return channels, labels


def write(array, path, spacing, direction=np.eye(3), origin=(11.5, -20.25, 3)):
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing([float(each) for each in spacing[::-1]])
    image.SetOrigin(origin)
    image.SetDirection([float(each) for each in np.asarray(direction).ravel()])
    SimpleITK.WriteImage(image, str(path), True)


def make_raw(model):
    """Six training cases in nnU-Net's raw format."""
    folder = WORK / "raw" / dataset(model)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    noise = np.random.default_rng(model["number"])
    for case in range(6):
        spacing = model["spacings"][case % len(model["spacings"])]
        channels, labels = picture(noise, model["size"], spacing, model["types"], model.get("border", False))
        for index, channel in enumerate(channels):
            write(channel, folder / "imagesTr" / ("train%d_%04d.nii.gz" % (case, index)), spacing)
        write(labels, folder / "labelsTr" / ("train%d.nii.gz" % case), spacing)
    description = {"channel_names": {str(index): each for index, each in enumerate(model["channels"])},
                   "labels": LABELS, "numTraining": 6, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(description, indent=4))


def dataset(model):
    return "Dataset%d_Blobs" % model["number"]


def plan(model):
    """nnU-Net's plans, with a small network and a small patch."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess
    os.environ["nnUNet_n_proc_DA"] = "1"
    number, configuration = model["number"], model["configuration"]
    shutil.rmtree(WORK / "preprocessed" / dataset(model), ignore_errors=True)
    extract_fingerprints([number], num_processes=1, check_dataset_integrity=True, verbose=False)
    identifier = plan_experiments([number], model.get("planner", "ExperimentPlanner"))
    path = WORK / "preprocessed" / dataset(model) / (identifier + ".json")
    plans = json.loads(path.read_text())
    chosen = plans["configurations"][configuration]
    chosen["patch_size"], chosen["batch_size"] = model["patch"], model["batch"]
    network = chosen["architecture"]["arch_kwargs"]
    network.update(n_stages=3, features_per_stage=[4, 8, 8], kernel_sizes=model["kernels"], strides=model["strides"])
    if "blocks" in model:
        network.update(n_blocks_per_stage=model["blocks"], n_conv_per_stage_decoder=[1, 1])
    else:
        network.update(n_conv_per_stage=[2, 2, 2], n_conv_per_stage_decoder=[2, 2])
    path.write_text(json.dumps(plans, indent=4))
    preprocess([number], identifier, (configuration,), (1,))
    return identifier


def train(model, identifier, fold):
    from nnunetv2.run.run_training import get_trainer_from_args
    np.random.seed(fold)
    torch.manual_seed(fold)
    # Batches are made in this process, in the same order each time.
    os.environ["nnUNet_n_proc_DA"] = "0"
    trainer = get_trainer_from_args(dataset(model), model["configuration"], fold, "nnUNetTrainer", identifier,
                                    device=CPU)
    trainer.num_epochs, trainer.num_iterations_per_epoch = model["epochs"], model["iterations"]
    trainer.num_val_iterations_per_epoch = 2
    trainer.initialize()
    trainer.run_training()
    return Path(trainer.output_folder_base)


def predictor(folder, folds, mirroring):
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    made = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=mirroring,
                           perform_everything_on_device=False, device=CPU, allow_tqdm=False)
    made.initialize_from_trained_model_folder(str(folder), folds, "checkpoint_final.pth")
    return made


def predict(model, name, folder, case):
    """All that nnU-Net says of a test image."""
    files = [str(path) for path in sorted((folder / "input").glob(case + "_*.nii.gz"))]
    output, scratch = folder / case, WORK / "predicted" / name
    output.mkdir()
    scratch.mkdir(parents=True, exist_ok=True)
    for mirroring in (True, False):
        made = predictor(folder, model["folds"], mirroring)
        begin = time.time()
        made.predict_from_files_sequential([files], [str(scratch / case)], save_probabilities=mirroring)
        print("TIME %s %s mirroring %s: %.2f s" % (name, case, mirroring, time.time() - begin))
        shutil.copy(scratch / (case + ".nii.gz"), output / ("mask.nii.gz" if mirroring else "unmirrored.nii.gz"))
        mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(scratch / (case + ".nii.gz"))))
        counts = np.bincount(mask.ravel(), minlength=3)
        print("MASK %s %s mirroring %s: %s" % (name, case, mirroring, counts))
        assert len(counts) == 3 and counts.min() > 0, "a class is missing from the mask"
        if mirroring:
            probabilities = torch.from_numpy(np.load(scratch / (case + ".npz"))["probabilities"]).float().contiguous()
            save_file({"probabilities": probabilities}, output / "probabilities.safetensors")
            preprocessor = made.configuration_manager.preprocessor_class(verbose=False)
            data, _, properties = preprocessor.run_case(files, None, made.plans_manager, made.configuration_manager,
                                                        made.dataset_json)
            assert data.dtype == np.float32
            data = torch.from_numpy(np.ascontiguousarray(data))
            logits = made.predict_logits_from_preprocessed_data(data)
            print("SHAPES %s %s: %s to %s, logits %s" % (name, case, properties["shape_before_cropping"],
                                                         tuple(data.shape), logits.dtype))
            save_file({"data": data, "logits": logits.float().contiguous()}, output / "preprocessed.safetensors")


def run_network(model, folder):
    network = predictor(folder, [0], False).network.eval()
    torch.manual_seed(7)
    value = torch.randn(1, len(model["channels"]), *model["patch"])
    with torch.no_grad():
        save_file({"input": value, "logits": network(value).contiguous()}, folder / "network.safetensors")


def make(name):
    model, folder = MODELS[name], FIXTURES / name
    begin = time.time()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(WORK / "results" / dataset(model), ignore_errors=True)
    (folder / "input").mkdir(parents=True)
    make_raw(model)
    identifier = plan(model)
    for fold in model["folds"]:
        trained = train(model, identifier, fold)
        (folder / ("fold_%d" % fold)).mkdir()
        shutil.copy(trained / ("fold_%d" % fold) / "checkpoint_final.pth", folder / ("fold_%d" % fold))
    for file in ("dataset.json", "plans.json"):
        shutil.copy(trained / file, folder / file)
    noise = np.random.default_rng(model["number"] + 50)
    for case, (size, spacing, direction) in model["tests"].items():
        channels, _ = picture(noise, size, spacing, model["types"], model.get("border", False))
        for index, channel in enumerate(channels):
            write(channel, folder / "input" / ("%s_%04d.nii.gz" % (case, index)), spacing, direction)
        predict(model, name, folder, case)
    run_network(model, folder)
    print("MADE %s in %.0f s" % (name, time.time() - begin))


def main():
    torch.set_num_threads(1)
    names = sys.argv[2:] or [*MODELS, "refused"]
    for name in names:
        if name == "refused":
            make_refused(FIXTURES / "plain-2d", FIXTURES / name)
        else:
            make(name)


# nnU-Net's other processes import this file.
if __name__ == "__main__":
    main()
