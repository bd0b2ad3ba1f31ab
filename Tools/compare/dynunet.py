"""MONAI's DynUNet as a contestant, of slices or of volumes."""
from pathlib import Path

from measure import run_step

PROCESS = Path(__file__).resolve().parent / "dynunet_process.py"
BATCH = 8


class DynUNet:
    def __init__(self, dimensions):
        self.dimensions = dimensions

    def step(self, name, folders, folder, settings):
        """Runs a step of dynunet_process.py; returns what it found out, and its cost."""
        return run_step(PROCESS, name, {"raw": str(folders.raw), "model": str(folder / "model.pt"), **settings}, folder)

    def train(self, folders, folder, budget, seed):
        found, cost = self.step("train", folders, folder, {
            "dimensions": self.dimensions, "classes": 1 + len(folders.data.labels), "budget": budget, "seed": seed})
        window = "x".join(map(str, found["window"]))
        notes = [f"windows of {window}", "deep supervision on"]
        if found["batch"] < BATCH:
            notes.append(f"batch {found['batch']} in place of {BATCH}")
        return {"cost": cost, "iterations": found["iterations"], "batch": found["batch"], "notes": notes, "preparation": 0}

    def predict(self, folders, folder):
        named = [case.joint_name for case in folders.held_out]
        _, cost = self.step("predict", folders, folder, {"cases": named, "masks": str(folder / "predicted")})
        folders.place_masks(folder / "predicted", folder / "masks")
        return cost
