"""Times whole commands of `dualnorm`, from file to file, against the same work in PyTorch, SciPy, MedPy and MONAI.

    python3 Tools/bench_files.py DUALNORM REFERENCE_FOLDER [--slices 40 --size 384 --repetitions 3]
    python3 Tools/bench_files.py DUALNORM REFERENCE_FOLDER --only windows [--volume 512,512,100]

On processors that gain nothing from bfloat16 (without AVX-512, or of Intel without AMX), all of it is float32.

Needs torch 2.11, scipy, nibabel, medpy and monai (`make bench-files` gets them). Every time is the median of runs taken
in turn, each in a process of its own; times without start-up are said to be so.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from processor import convolves_bfloat16

PRECISION = "bfloat16" if convolves_bfloat16() else "float32"

# The published evaluation: a volume from NIfTI, whitened, slices with their neighbours through both passes, the largest
# component of each class, a NIfTI mask.
PUBLISHED = r"""
import sys, time
start = time.perf_counter()
sys.path.insert(0, sys.argv[1])
import nibabel, numpy, scipy.ndimage, torch
import dualnorm_torch as reference
weights, source, target, width, batch, precision, layout = *sys.argv[2:5], *map(int, sys.argv[5:7]), *sys.argv[7:]
memory_format = torch.channels_last if layout == "channels-last" else torch.contiguous_format
network = reference.DualNormUNet(2, base=width, dual_blocks=("inc", "down1", "down2", "down3"))
network.load_state_dict(torch.load(weights))
network = network.eval().to(memory_format=memory_format)
loaded = time.perf_counter()
file = nibabel.load(source)
volume = file.get_fdata(dtype=numpy.float32)
volume = (volume - volume.mean()) / volume.std()
depth = volume.shape[2]
mask = numpy.zeros(volume.shape, numpy.uint8)
with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
    for first in range(0, depth, batch):
        slices = range(first, min(first + batch, depth))
        stack = [[volume[:, :, min(max(z + k, 0), depth - 1)] for k in (-1, 0, 1)] for z in slices]
        images = torch.from_numpy(numpy.ascontiguousarray(numpy.stack(stack).transpose(0, 1, 3, 2)))
        images = images.to(memory_format=memory_format)
        classes = reference.predict(network, images)[1].argmax(1).numpy().astype(numpy.uint8)
        for index, z in enumerate(slices):
            mask[:, :, z] = classes[index].T
components, count = scipy.ndimage.label(mask == 1)
if count > 1:
    mask[components != numpy.bincount(components.ravel())[1:].argmax() + 1] = 0
nibabel.save(nibabel.Nifti1Image(mask, file.affine), target)
print(time.perf_counter() - start, time.perf_counter() - loaded)
"""

MAKE = r"""
import sys
sys.path.insert(0, sys.argv[1])
import nibabel, numpy, scipy.ndimage, torch
import dualnorm_torch as reference
folder, width, size = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.manual_seed(1)
network = reference.DualNormUNet(2, base=width, dual_blocks=("inc", "down1", "down2", "down3"))
torch.save(network.state_dict(), folder + "/weights.pth")
noise = numpy.random.default_rng(1)
for slices in map(int, sys.argv[5:]):
    volume = scipy.ndimage.gaussian_filter(noise.normal(size=(size, size, slices)), 3) * 3000 + 500
    nibabel.save(nibabel.Nifti1Image(volume.astype(numpy.int16), numpy.diag([0.6, 0.6, 3, 1])), f"{folder}/{slices}.nii.gz")
grid = numpy.indices((256, 256, 256), dtype=numpy.float32)
for name, center, radius in (("a", 128, 60), ("b", 131, 63)):
    ball = ((grid - center) ** 2).sum(0) < radius ** 2
    nibabel.save(nibabel.Nifti1Image(ball.astype(numpy.uint8), numpy.eye(4)), f"{folder}/{name}.nii.gz")
"""

SCORES = r"""
import sys, time
import nibabel, numpy
tool, a, b = sys.argv[1:]
if tool == "MedPy":
    from medpy.metric import binary
else:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
start = time.perf_counter()
a, b = (numpy.asarray(nibabel.load(path).dataobj) > 0 for path in (a, b))
if tool == "MedPy":
    binary.dc(a, b), binary.assd(a, b), binary.hd95(a, b)
else:
    a, b = (torch.from_numpy(x)[None, None] for x in (a, b))
    compute_average_surface_distance(a, b, include_background=True, symmetric=True)
    compute_hausdorff_distance(a, b, include_background=True, percentile=95)
print(time.perf_counter() - start)
"""

# A volume from NIfTI through both passes of a 3-D network by MONAI's sliding window, and a NIfTI mask.
WINDOWS = r"""
import sys
sys.path.insert(0, sys.argv[1])
import nibabel, numpy, torch
from monai.inferers import sliding_window_inference
from volumetric import DualNormUNet3D
source, target, width, precision = *sys.argv[2:4], int(sys.argv[4]), sys.argv[5]
network = DualNormUNet3D(2, width, 1, dual_blocks=["inc", "down1", "down2"], poolings=[[2, 2, 2]] * 3,
                         kernels=[[3, 3, 3]] * 4).eval().to(memory_format=torch.channels_last_3d)
file = nibabel.load(source)
volume = file.get_fdata(dtype=numpy.float32)
volume = (volume - volume.mean()) / volume.std()
images = torch.from_numpy(numpy.ascontiguousarray(volume.T))[None, None]

def both_passes(x):
    x = x.to(memory_format=torch.channels_last_3d)
    return network(x, network(x).softmax(1)).softmax(1).float()

with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
    scores = sliding_window_inference(images, (40, 56, 40), 2, both_passes, overlap=0.5, mode="gaussian")
mask = scores[0].argmax(0).numpy().astype(numpy.uint8).T
nibabel.save(nibabel.Nifti1Image(mask, file.affine), target)
"""


def run(command, environment=None):
    """Seconds and standard output of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    output, errors = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(command[:3])} … failed: {errors.strip().splitlines()[-1] if errors.strip() else '?'}")
    return seconds, output


def peak(command):
    """Peak memory in bytes of a command, by a process that waits for no other."""
    script = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True, capture_output=True)\n" \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    return int(run([sys.executable, "-c", script, *command])[1])


def timed(command):
    """Seconds and peak memory in bytes of one run."""
    start = time.perf_counter()
    memory = peak(command)
    return time.perf_counter() - start, memory


def medians(contestants, repetitions):
    times = {name: [] for name in contestants}
    for _ in range(repetitions):
        for name, measure in contestants.items():
            times[name].append(measure())
    return {name: statistics.median(values) for name, values in times.items()}


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dualnorm")
    parser.add_argument("reference")
    for name, value in {"size": 384, "slices": 40, "width": 32, "repetitions": 3}.items():
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--many-slices", default="10,20,40,100,200")
    parser.add_argument("--volume", default="512,512,100", help="x, y and z of the volume that windows cover")
    parser.add_argument("--only", choices=["windows"])
    a = parser.parse_args()
    if a.only:
        with tempfile.TemporaryDirectory() as folder:
            return windows(a, folder)
    many = [int(n) for n in a.many_slices.split(",") if n]
    with tempfile.TemporaryDirectory() as folder:
        made = sorted({a.slices, *many})
        run([sys.executable, "-c", MAKE, a.reference, folder, str(a.width), str(a.size), *map(str, made)])
        model = folder + "/run"
        run([a.dualnorm, "import", folder + "/weights.pth", "--output", model, "--classes", "2", "--quiet"])
        volumes(a, folder, model)
        linear(a, folder, model, many)
        sizes(a)
        scores(a, folder)
        start_up(a)
        windows(a, folder)


def predict(a, folder, model, slices, precision=PRECISION):
    return [a.dualnorm, "predict", "--model", model, "--input", f"{folder}/{slices}.nii.gz", "--output",
            folder + "/mask.nii.gz", "--precision", precision, "--quiet"]


def volumes(a, folder, model):
    def published(precision, batch, layout):
        return lambda: run([sys.executable, "-c", PUBLISHED, a.reference, folder + "/weights.pth",
                            f"{folder}/{a.slices}.nii.gz", folder + "/theirs.nii.gz", str(a.width), str(batch), precision,
                            layout])[0]

    def ours(precision):
        return lambda: run(predict(a, folder, model, a.slices, precision))[0]
    contestants = {
        "PyTorch, float32, slice by slice": published("float32", 1, "default"),
        "PyTorch, float32, batches of 4": published("float32", 4, "default"),
        f"PyTorch, {PRECISION}, channels-last, batches of 4": published(PRECISION, 4, "channels-last"),
        "dualnorm predict, float32": ours("float32")}
    fastest = f"dualnorm predict, {PRECISION}"
    contestants[fastest] = ours(PRECISION)
    times = medians(contestants, a.repetitions)
    print(f"A volume of {a.size}×{a.size}×{a.slices}, file to file, start-up included; medians of {a.repetitions}\n")
    row("", "s", "times dualnorm's")
    row("---", "---", "---")
    for name, seconds in times.items():
        row(name, f"{seconds:.1f}", f"{seconds / times[fastest]:.2f}")


def windows(a, folder):
    """A large volume by windows of a 3-D network of width 16, against MONAI's; one run of each."""
    import nibabel
    import numpy
    import scipy.ndimage
    data, model, source = folder + "/data", folder + "/volumes", folder + "/large.nii.gz"
    run([a.dualnorm, "phantom", "--output", data, "--size", "64x64x48", "--cases", "3", "--sites", "1", "--quiet"])
    run([a.dualnorm, "train", "--data", data, "--output", model, "--dimensions", "3", "--size", "40,56,40", "--width", "16",
         "--dual-blocks", "inc,down1,down2", "--iterations", "2,1", "--quiet"])
    cases = [os.path.join(place, name) for place, _, names in os.walk(data) for name in names if name.endswith(".nii.gz")]
    affine = nibabel.load(min(cases)).affine
    sides = [int(side) for side in a.volume.split(",")]
    noise = scipy.ndimage.gaussian_filter(numpy.random.default_rng(1).normal(size=sides), 3) * 3000 + 500
    nibabel.save(nibabel.Nifti1Image(noise.astype(numpy.int16), affine), source)
    ours = [a.dualnorm, "predict", "--model", model, "--input", source, "--output", folder + "/ours.nii.gz", "--quiet"]
    theirs = [sys.executable, "-c", WINDOWS, a.reference, source, folder + "/theirs.nii.gz", "16", PRECISION]
    times = {name: timed(command) for name, command in (
        (f"PyTorch and MONAI, {PRECISION}, channels-last-3d", theirs), (f"dualnorm predict, {PRECISION}", ours))}
    least = times[f"dualnorm predict, {PRECISION}"][0]
    print(f"\nA volume of {'×'.join(map(str, sides))} by windows of 40×56×40, both passes, file to file; one run\n")
    row("", "s", "times dualnorm's", "peak memory, MB")
    row(*["---"] * 4)
    for name, (seconds, memory) in times.items():
        row(name, f"{seconds:.1f}", f"{seconds / least:.2f}", f"{memory / 1e6:.0f}")


def linear(a, folder, model, many):
    print(f"\nPrediction of {a.size}×{a.size} by slices\n")
    row("slices", "s", "s a slice", "peak memory, MB", "of which the volume in float32, MB")
    row(*["---"] * 5)
    for slices in many:
        command = predict(a, folder, model, slices)
        seconds = run(command)[0]
        row(str(slices), f"{seconds:.1f}", f"{seconds / slices:.3f}", f"{peak(command) / 1e6:.0f}",
            f"{a.size * a.size * slices * 4 / 1e6:.0f}")


def sizes(a):
    print(f"\nA batch of 4 in memory by size, {PRECISION}\n")
    row("size", "training step, s", "µs a pixel", "prediction, s", "µs a pixel")
    row(*["---"] * 5)
    for size in (96, 192, 384):
        output = run([a.dualnorm, "benchmark", "--size", f"{size},{size}", "--width", str(a.width), "--precision", PRECISION,
                     "--repetitions", str(a.repetitions)])[1]
        train, predict = (
            float(line.split()[-2]) for line in output.splitlines()
            if line.startswith(("training step ", "prediction of a batch ")))
        pixels = 4 * size * size
        row(f"{size}×{size}", f"{train:.3f}", f"{train / pixels * 1e6:.2f}", f"{predict:.3f}", f"{predict / pixels * 1e6:.2f}")


def scores(a, folder):
    masks = [folder + "/a.nii.gz", folder + "/b.nii.gz"]
    def theirs(tool):
        return lambda: float(run([sys.executable, "-c", SCORES, tool, *masks])[1])
    times = medians({
        "MedPy": theirs("MedPy"), "MONAI": theirs("MONAI"),
        "dualnorm score": lambda: run([
            a.dualnorm, "score", "--prediction", masks[0], "--reference", masks[1]])[0]}, a.repetitions)
    print("\nDice, ASSD and HD95 of two 256³ masks (balls of radius 60 and 63) from their files; others without start-up\n")
    row("", "s", "times dualnorm's")
    row("---", "---", "---")
    for name, seconds in times.items():
        row(name, f"{seconds:.2f}", f"{seconds / times['dualnorm score']:.1f}")


def start_up(a):
    library = os.path.join(os.path.dirname(__file__), "../.deps/libtorch/torch/lib/libtorch_cpu.so")
    times = medians({
        "import torch": lambda: run([sys.executable, "-c", "import torch"])[0],
        "loading LibTorch alone": lambda: run(["/bin/true"], {"LD_PRELOAD": os.path.abspath(library)})[0],
        "dualnorm --help": lambda: run([a.dualnorm, "--help"])[0]}, 5 * a.repetitions)
    print("\nStart-up\n")
    row("", "s")
    row("---", "---")
    for name, seconds in times.items():
        row(name, f"{seconds:.2f}")


main()
