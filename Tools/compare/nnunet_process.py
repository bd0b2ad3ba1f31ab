"""One step of nnU-Net 2.8.1 in a process of its own: plan, rate, train or predict.

    python nnunet_process.py STEP JSON

JSON has the step's settings, and `report`, the file for what the step found out. nnUNet_raw, nnUNet_preprocessed and
nnUNet_results are set by the caller.
"""
import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.update(nnUNet_def_n_proc="1", nnUNet_compile="false")

# nnU-Net steps its rate of learning once an epoch. This many make its polynomial smooth.
EPOCHS = 100
# What is left of the budget for writing the checkpoint.
SHARE_FOR_TRAINING = 0.99


def spent():
    """Processor seconds of this process since its start, and of its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def dataset_name(settings):
    return Path(settings["raw"]).name


def plan(settings):
    """Plans the data set if it has no plans, and preprocesses it for one configuration."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess
    # Planning takes this as its number of threads.
    os.environ["nnUNet_n_proc_DA"] = "1"
    number, folder = settings["number"], Path(os.environ["nnUNet_preprocessed"]) / dataset_name(settings)
    if not (folder / "nnUNetPlans.json").exists():
        extract_fingerprints([number], num_processes=1, check_dataset_integrity=False, verbose=False)
        plan_experiments([number])
    preprocess([number], "nnUNetPlans", (settings["configuration"],), (1,))
    plans = json.loads((folder / "nnUNetPlans.json").read_text())
    chosen = plans["configurations"][settings["configuration"]]
    return {key: chosen[key] for key in ("batch_size", "patch_size", "spacing")}


def trainer(settings, batch):
    """nnU-Net's own trainer of all training cases, with another batch size."""
    import numpy
    import torch
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    # Batches are made in this process.
    os.environ["nnUNet_n_proc_DA"] = "0"
    torch.set_num_threads(1)
    numpy.random.seed(settings["seed"])
    torch.manual_seed(settings["seed"])
    folder = Path(os.environ["nnUNet_preprocessed"]) / dataset_name(settings)
    plans = json.loads((folder / "nnUNetPlans.json").read_text())
    plans["configurations"][settings["configuration"]]["batch_size"] = batch
    plans["continue_training"] = False
    made = nnUNetTrainer(plans, settings["configuration"], "all", json.loads((folder / "dataset.json").read_text()),
                         device=torch.device("cpu"))
    made.initialize()
    # Drawings of the network.
    made.plot_network_architecture = lambda: None
    return made


def rate(settings):
    """Processor seconds that an iteration takes for each image of the batch."""
    batch, steps = settings["batch"], 2
    made = trainer(settings, batch)
    made.on_train_start()
    made.on_train_epoch_start()
    made.train_step(next(made.dataloader_train))
    begin = spent()
    for _ in range(steps):
        made.train_step(next(made.dataloader_train))
    return {"seconds": (spent() - begin) / steps / batch}


def train(settings):
    """Trains until the budget is spent. An epoch is an equal share of what was left of it at the first.

    So the polynomial schedule ends with the budget, however fast the machine is. nnU-Net's validation between epochs is
    left out: it changes no weight, and the last checkpoint is the model.
    """
    made = trainer(settings, settings["batch"])
    made.num_epochs = EPOCHS
    made.lr_scheduler.max_steps = EPOCHS
    made.on_train_start()
    begin, end, iterations = spent(), SHARE_FOR_TRAINING * settings["budget"], 0
    step = 0.0
    for epoch in range(EPOCHS):
        target = begin + (end - begin) * (epoch + 1) / EPOCHS
        made.on_train_epoch_start()
        # An iteration starts where at least half of it is within the target.
        while spent() + step / 2 < target:
            before = spent()
            made.train_step(next(made.dataloader_train))
            step, iterations = spent() - before, iterations + 1
        made.current_epoch += 1
    made.on_train_end()
    return {"iterations": iterations, "batch": settings["batch"]}


def predict(settings):
    """Segments all held-out images, with nnU-Net's mirroring."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    torch.set_num_threads(1)
    made = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=True, perform_everything_on_device=False,
                           device=torch.device("cpu"), allow_tqdm=False)
    results = Path(os.environ["nnUNet_results"]) / dataset_name(settings)
    made.initialize_from_trained_model_folder(
        str(results / f"nnUNetTrainer__nnUNetPlans__{settings['configuration']}"), ("all",), "checkpoint_final.pth")
    images = [str(Path(settings["raw"]) / "imagesTs" / f"{name}_0000.nii.gz") for name in settings["cases"]]
    masks = [str(Path(settings["masks"]) / name) for name in settings["cases"]]
    Path(settings["masks"]).mkdir(parents=True, exist_ok=True)
    made.predict_from_files_sequential([[image] for image in images], masks, save_probabilities=False)
    return {}


def main():
    settings = json.loads(sys.argv[2])
    found = {"plan": plan, "rate": rate, "train": train, "predict": predict}[sys.argv[1]](settings)
    Path(settings["report"]).write_text(json.dumps(found))


# nnU-Net's other processes import this file.
if __name__ == "__main__":
    main()
