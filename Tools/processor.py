"""What the benchmarks ask of the processor."""


def convolves_bfloat16():
    """Whether LibTorch convolves bfloat16 on this processor's vectors: with AVX-512, or unknown."""
    try:
        flags = [line for line in open("/proc/cpuinfo") if line.startswith("flags")]
    except OSError:
        flags = []
    return not flags or "avx512bw" in flags[0].split()
