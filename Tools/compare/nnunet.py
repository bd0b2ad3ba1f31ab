"""nnU-Net as a contestant: it plans and preprocesses once a data set, and trains and predicts for each cell."""
import json
from pathlib import Path

from measure import run_step

PROCESS = Path(__file__).resolve().parent / "nnunet_process.py"
# Iterations of one of nnU-Net's epochs.
EPOCH = 250


class NNUNet:
    def __init__(self, configuration):
        self.configuration = configuration

    def step(self, name, folders, folder, settings):
        """Runs a step of nnunet_process.py; returns what it found out, and its cost."""
        settings = {"number": folders.data.number, "raw": str(folders.raw), "configuration": self.configuration, "seed": 1,
                    **settings}
        environment = {"nnUNet_raw": str(folders.raw.parent), "nnUNet_preprocessed": str(folders.root / "preprocessed"),
                       "nnUNet_results": str(folder / "results")}
        return run_step(PROCESS, name, settings, folder, environment)

    def prepare(self, folders):
        """Plans, preprocesses and measures the pace, once; the cost is beside the budget."""
        folder = folders.root / f"nnunet-{self.configuration}"
        path = folder / "prepared.json"
        if path.exists():
            return json.loads(path.read_text())
        folder.mkdir(exist_ok=True)
        planned, cost = self.step("plan", folders, folder, {})
        paced, more = self.step("rate", folders, folder, {"batch": min(8, planned["batch_size"])})
        cost = cost.plus(more)
        prepared = {**planned, "seconds_an_image": paced["seconds"], "preparation_seconds": cost.seconds}
        path.write_text(json.dumps(prepared))
        return prepared

    def train(self, folders, folder, budget, seed):
        """Trains with the planned batch, or the largest of which the budget holds an epoch."""
        prepared = self.prepare(folders)
        planned = prepared["batch_size"]
        batch = max(2, min(planned, int(budget / EPOCH / prepared["seconds_an_image"])))
        found, cost = self.step("train", folders, folder, {"budget": budget, "seed": seed, "batch": batch})
        notes = [] if batch == planned else [f"batch {batch} in place of the planned {planned}"]
        if found["iterations"] < EPOCH:
            notes.append(f"less than an epoch of {EPOCH} iterations")
        return {"cost": cost, "iterations": found["iterations"], "batch": batch, "notes": notes,
                "preparation": prepared["preparation_seconds"]}

    def predict(self, folders, folder):
        """Writes SITE/CASE.nii.gz below folder/masks; returns the cost."""
        named = [case.joint_name for case in folders.held_out]
        _, cost = self.step("predict", folders, folder, {"cases": named, "masks": str(folder / "predicted")})
        folders.place_masks(folder / "predicted", folder / "masks")
        return cost
