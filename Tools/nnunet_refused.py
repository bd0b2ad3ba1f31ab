"""The folders of nnU-Net's models that DualNorm refuses, for fixtures_nnunet.py."""
import json
import os
import shutil
from collections import OrderedDict

import torch


class Command:
    """Runs `true` where it is unpickled."""
    def __reduce__(self):
        return os.system, ("true",)


def make_refused(source, target):
    """Makes folders in `target` like the model's folder `source` in all but one thing each."""
    shutil.rmtree(target, ignore_errors=True)
    # The file is trusted: fixtures_nnunet.py has written it.
    first = torch.load(source / "fold_0" / "checkpoint_final.pth", map_location="cpu", weights_only=False)
    first["optimizer_state"] = {"state": {}, "param_groups": []}
    first["init_args"].pop("plans")
    first["logging"] = {}

    def variant(name, change_plans=None, change_dataset=None, change_checkpoint=None):
        folder = target / name
        (folder / "fold_0").mkdir(parents=True)
        plans = json.loads((source / "plans.json").read_text())
        plans["configurations"] = {"2d": plans["configurations"]["2d"]}
        description = json.loads((source / "dataset.json").read_text())
        checkpoint = dict(first, init_args=dict(first["init_args"]),
                          network_weights=OrderedDict(first["network_weights"]))
        if change_plans:
            plans = change_plans(plans) or plans
        if change_dataset:
            change_dataset(description)
        if change_checkpoint:
            change_checkpoint(checkpoint)
        (folder / "plans.json").write_text(json.dumps(plans, indent=1))
        (folder / "dataset.json").write_text(json.dumps(description, indent=1))
        torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")

    def cut_heads(checkpoint):
        """One output less, as regions have no background."""
        for key, value in checkpoint["network_weights"].items():
            if ".seg_layers." in key:
                checkpoint["network_weights"][key] = value[:2].clone()

    def other_network(plans):
        plans["configurations"]["2d"]["architecture"]["network_class_name"] = "some.package.OtherNet"

    def cascade(plans):
        configurations = plans["configurations"]
        configurations["3d_cascade_fullres"] = dict(configurations.pop("2d"), previous_stage="3d_lowres")

    def first_version(plans):
        """The keys of nnU-Net's first version."""
        return {"num_stages": 1, "num_modalities": 1, "modalities": {"0": "MR"}, "num_classes": 2,
                "all_classes": [1, 2], "base_num_features": 32, "use_mask_for_norm": {"0": False},
                "transpose_forward": plans["transpose_forward"], "transpose_backward": plans["transpose_backward"],
                "data_identifier": "nnUNetData_plans_v2.1_2D",
                "plans_per_stage": {"0": {"batch_size": 8, "patch_size": [24, 24], "num_pool_per_axis": [2, 2],
                                          "pool_op_kernel_sizes": [[2, 2], [2, 2]], "conv_kernel_sizes": [[3, 3]] * 3,
                                          "current_spacing": [4.0, 1.0, 0.9], "do_dummy_2D_data_aug": False}}}

    variant("trainer", change_checkpoint=lambda it: it.update(trainer_name="nnUNetTrainerCustom"))
    variant("command", change_checkpoint=lambda it: it.update(logging=Command()))
    variant("regions", change_checkpoint=cut_heads, change_dataset=lambda it: it.update(
        labels={"background": 0, "whole": [1, 2], "core": 2}, regions_class_order=[1, 2]))
    variant("ignore", change_dataset=lambda it: it["labels"].update(ignore=3))
    variant("network", change_plans=other_network)
    variant("first-version", change_plans=first_version)
    variant("cascade", change_plans=cascade,
            change_checkpoint=lambda it: it["init_args"].update(configuration="3d_cascade_fullres"))
