"""Times `dualnorm benchmark` against the reference network in PyTorch, step by step in turn, on this machine.

    python3 Tools/bench.py DUALNORM REFERENCE_FOLDER [--device cpu --size 384,384 --batch 4 --width 32 --pairs 5 --threads N]

--size depth,height,width times 3-D networks, with the levels of isotropic voxels and one channel.

With --device cuda on the GPU, where PyTorch is also compiled with CUDA graphs (mode "reduce-overhead"). On processors that
gain nothing from bfloat16 (without AVX-512, or of Intel without AMX), all of it is float32.

Needs torch 2.11 (`make bench` gets it). Every contestant is a process that waits while another one runs; what is
compared is the median of steps taken in turn, so that a slower minute of the machine slows all of them.
"""
import argparse
import os
import statistics
import subprocess
import sys

from processor import convolves_bfloat16

REFERENCE = r"""
import resource, sys, time
sys.path.insert(0, sys.argv[1])
import torch
import dualnorm_torch as reference
mode, width, batch, threads = sys.argv[2], *map(int, sys.argv[3:6])
device, tuned, sizes = sys.argv[6], sys.argv[7], list(map(int, sys.argv[8].split(",")))
torch.set_num_threads(threads)
torch.set_flush_denormal(True)  # as dualnorm does: numbers below 1e-38 would slow every contestant
torch.backends.cudnn.benchmark = mode != "published"
torch.manual_seed(1)
channels, layout = 3, torch.channels_last
if len(sizes) == 2:
    network = reference.DualNormUNet(2, base=width, dual_blocks=("inc", "down1", "down2", "down3"))
else:
    from volumetric import DualNormUNet3D
    channels, layout, left, poolings = 1, torch.channels_last_3d, list(sizes), []
    while True:  # each axis of at least 8 voxels is halved; the last one alone needs 12
        halved = [axis for axis in range(3) if left[axis] >= 8]
        if not halved or (len(halved) == 1 and left[halved[0]] < 12):
            break
        poolings.append([2 if axis in halved else 1 for axis in range(3)])
        left = [(side + 1) // 2 if axis in halved else side for axis, side in enumerate(left)]
    dual = ["inc"] + [f"down{level}" for level in range(1, len(poolings))]
    network = DualNormUNet3D(2, width, 1, dual_blocks=dual, poolings=poolings, kernels=[[3, 3, 3]] * (len(poolings) + 1))
network = network.to(device)
images = (torch.rand(batch, channels, *sizes) * 2 - 1).to(device)
if mode != "published":
    network = network.to(memory_format=layout)
    images = images.to(memory_format=layout)
labels = (torch.arange(images[:, 0].numel()) // 64 % 2).view(batch, *sizes).to(device)
optimizer = torch.optim.Adam(network.parameters(), 1e-3)
run = network
if mode in ("compiled", "graphs"):
    run = torch.compile(network, mode="reduce-overhead" if mode == "graphs" else None)
    run.classes, run.dual_blocks = network.classes, network.dual_blocks
precision = torch.autocast(device, torch.bfloat16, enabled=mode != "published" and tuned == "bfloat16")

def memory():
    if device == "cuda":
        return torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    with precision:
        if line.strip() == "train":
            reference.train_step(run, optimizer, images, labels)
        else:
            reference.predict(run, images)[1].argmax(1)
    if device == "cuda":
        torch.cuda.synchronize()
    print(time.perf_counter() - start, memory(), flush=True)
"""


TASKS = ("train", "predict")


class Ended(Exception):
    pass


class Contestant:
    def __init__(self, name, command, says_ready=False):
        self.name, self.seconds = name, {task: [] for task in TASKS}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if says_ready and self.process.stdout.readline() != "ready\n":
            raise Ended(f"{self.name} did not start")

    def ask(self, task):
        self.send(task)
        return self.answer(task)

    def send(self, task):
        try:
            self.process.stdin.write(task + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # there will be no answer

    def answer(self, task):
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise Ended(f"{self.name} ended without an answer to {task}")
        self.memory = int(answer[1])
        return float(answer[0])

    def time(self, task):
        self.seconds[task].append(self.ask(task))

    def median(self, task):
        return statistics.median(self.seconds[task])


def convolution_operations(width, sizes, batch):
    """Floating point operations of the convolutions of one final pass (2 for a multiplication and addition)."""
    total = 0
    for level in range(5):
        pixels, w = batch * (sizes[0] >> level) * (sizes[1] >> level), width << level
        block = 2 * 9 * w * w
        dual = 2 * (9 * 2 * w // 2 + 9 * (w // 2) * 2 * w) if level < 4 else 0
        total += 2 * pixels * (block + dual)
        if level == 0:
            total += 2 * pixels * 3 * w + 2 * pixels * 2 * w
        else:
            total += 2 * pixels * 9 * (w // 2) * w
        if level == 4:
            total += 2 * pixels * block
        else:
            total += 2 * pixels * (9 * 2 * w * w + block) + 2 * (pixels // 4) * 9 * 2 * w * w
    plain = total - sum(2 * batch * (sizes[0] >> l) * (sizes[1] >> l) * 2 * (9 * (width << l) + 9 * (width << l) ** 2) for l in range(4))
    return plain, total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dualnorm")
    parser.add_argument("reference")
    parser.add_argument("--size", default="384,384")
    for name, value in {"batch": 4, "width": 32, "pairs": 5, "threads": os.cpu_count()}.items():
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--no-compile", action="store_true")
    a = parser.parse_args()
    a.size = a.size if "," in a.size else f"{a.size},{a.size}"
    if not os.path.exists(os.path.join(a.reference, "dualnorm_torch.py")):
        sys.exit(f"bench: {a.reference} holds no dualnorm_torch.py; give the reference network's folder (make bench REFERENCE=DIR).")
    tuned = "bfloat16" if a.device == "cuda" or convolves_bfloat16() else "float32"
    shape = [str(a.width), str(a.batch), str(a.threads)]

    def torch(name, mode):
        command = [sys.executable, "-c", REFERENCE, a.reference, mode, *shape, a.device, tuned, a.size]
        return Contestant(name, command, says_ready=True)

    def ours(precision):
        return Contestant(f"dualnorm, {precision}", [
            a.dualnorm, "benchmark", "--serve", "--width", str(a.width), "--size", a.size,
            "--batch-size", str(a.batch), "--precision", precision, "--threads", str(a.threads), "--device", a.device])

    contestants = [
        torch("PyTorch, float32, as published", "published"), torch(f"PyTorch, {tuned}, channels-last", "tuned")]
    if not a.no_compile:
        contestants.append(torch("PyTorch, the same, compiled", "compiled"))
        if a.device == "cuda":
            contestants.append(torch("PyTorch, the same, compiled with CUDA graphs", "graphs"))
    precisions = ["float32", "tf32", "bfloat16"] if a.device == "cuda" else ["float32", "bfloat16"]
    contestants += [ours(p) for p in precisions[:precisions.index(tuned) + 1]]
    warm_up(contestants, at_once=a.device == "cuda")
    for task in TASKS:
        print(f"bench: timing {task}", file=sys.stderr, flush=True)
        for _ in range(a.pairs):
            for contestant in contestants:
                contestant.time(task)
    report(a, contestants, tuned)


def warm_up(contestants, at_once):
    """Compiles, makes kernels, fills caches; those that end are left out. At once where processors are many."""
    times = 5 if at_once else 1  # a GPU's graphs come after some steps
    tasks = [task for task in TASKS for _ in range(times)]
    if at_once:
        for contestant in contestants:
            for task in tasks:
                contestant.send(task)
    for contestant in list(contestants):
        print(f"bench: warming up {contestant.name}", file=sys.stderr, flush=True)
        try:
            for task in tasks:
                if not at_once:
                    contestant.send(task)
                contestant.answer(task)
        except Ended as problem:
            print(f"bench: {problem}; it is left out.", file=sys.stderr)
            contestants.remove(contestant)


def report(a, contestants, precision):
    fastest = contestants[-1]
    sizes = list(map(int, a.size.split(",")))
    print(f"{a.device}, {'×'.join(map(str, sizes))}, batch of {a.batch}, width {a.width}, {a.threads} threads; "
          f"medians of {a.pairs} in turn\n")
    print("| | training step, s | times dualnorm's | prediction of a batch, s | times dualnorm's | peak memory, GB |")
    print("|---|---|---|---|---|---|")
    for c in contestants:
        train, predict = c.median("train"), c.median("predict")
        print(f"| {c.name} | {train:{digits(train)}} | {train / fastest.median('train'):.2f} | {predict:{digits(predict)}} | "
              f"{predict / fastest.median('predict'):.2f} | {c.memory / 1e9:.2f} |")
    augment = statistics.median(fastest.ask("augment") for _ in range(20)) / a.batch
    print()
    if len(sizes) == 2:
        report_operations(a, fastest, precision, sizes)
    print(f"One thread augments {1 / augment:.2g} images a second with all there is; a training step takes "
          f"{a.batch / fastest.median('train'):.2g}.")


def report_operations(a, fastest, precision, sizes):
    rate = min(fastest.ask("convolve") for _ in range(20))
    probe = 2 * 9 * (2 * a.width) ** 2 * a.batch * (sizes[0] // 2) * (sizes[1] // 2) / rate
    plain, final = convolution_operations(a.width, sizes, a.batch)
    print(f"Convolutions alone reach {probe / 1e9:,.0f} GFLOP/s in {precision} (3×3, {2 * a.width} channels, half the size); "
          f"dualnorm's training step {3 * (plain + final) / fastest.median('train') / 1e9:,.0f}, "
          f"its prediction {(plain + final) / fastest.median('predict') / 1e9:,.0f}.")


def digits(seconds):
    return ".2f" if seconds > 0.1 else ".4f"


try:
    main()
except Ended as problem:
    sys.exit(f"bench: {problem}.")
