"""Tests what `dualnorm export` writes for PyTorch and MONAI.

    python3 Tools/export_test.py DUALNORM REFERENCE [SCHEMA]

The reference network loads the weights strictly and gives the graph's probabilities. MONAI accepts the bundle's metadata by its
SCHEMA, a copy of the file that the metadata name; without one MONAI fetches it.
"""
import os
import subprocess
import sys
import tempfile
import warnings

import torch

dualnorm, reference, *schema = sys.argv[1:]
sys.path.insert(0, reference)
from dualnorm_torch import DualNormUNet  # noqa: E402

warnings.filterwarnings("ignore")
TRAINING = "--width 4 --iterations 6,4 --batch-size 2 --validate-every 2 --threads 1 --precision float32"


def say(text):
    print("export-test: " + text)


def run(*words):
    done = subprocess.run([dualnorm, *words, "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"export-test: dualnorm {' '.join(words)} ended with {done.returncode}: {done.stderr}")


with tempfile.TemporaryDirectory() as folder:
    def place(name):
        return os.path.join(folder, name)

    run("phantom", "--output", place("data"), "--size", "32x32x4", "--cases", "2", "--sites", "2")
    run("train", "--data", place("data"), "--output", place("run"), *TRAINING.split())
    for form, name in (("pth", "weights.pth"), ("bundle", "bundle")):
        run("export", "--model", place("run"), "--output", place(name), "--format", form)
    network = DualNormUNet(3, base=4, dual_blocks=("inc", "down1", "down2", "down3"))
    for name in ("weights.pth", "bundle/models/model.pt"):
        found = network.load_state_dict(torch.load(place(name), weights_only=True), strict=True)
        say(f"the reference network loads {name}: {found}")
    try:
        import onnxruntime
    except ImportError:
        say("the graph was not run, since ONNX Runtime is not there")
    else:
        image = torch.randn(2, 3, 32, 48)
        with torch.no_grad():
            network.eval()
            first = torch.softmax(network(image), 1)
            expected = {"first_probabilities": first, "probabilities": torch.softmax(network(image, first), 1)}
        session = onnxruntime.InferenceSession(place("bundle/models/model.onnx"), providers=["CPUExecutionProvider"])
        results = session.run(list(expected), {"image": image.numpy()})
        parts = [abs(torch.from_numpy(one) - other).max() for one, other in zip(results, expected.values())]
        far = torch.stack(parts).max().item()
        say(f"the graph gives the reference network's probabilities within {far:.1e}")
        if not far <= 1e-5:
            sys.exit("export-test: that is more than 1e-5")
    from monai.bundle import verify_metadata
    copy = schema[0] if schema else place("schema.json")
    verify_metadata(meta_file=place("bundle/configs/metadata.json"), filepath=copy)
    say("MONAI accepts the bundle's metadata")
