"""What the benchmarks ask of the processor."""


def convolves_bfloat16():
    """Whether LibTorch convolves bfloat16 faster than floats on this processor, or nothing is known of it.

    It needs AVX-512. Intel's vectors multiply half as many pairs as floats, so there it takes tiles (AMX).
    """
    try:
        text = open("/proc/cpuinfo").read()
    except OSError:
        return True
    flags = [line.split() for line in text.splitlines() if line.startswith("flags")]
    if not flags:
        return True
    return "avx512bw" in flags[0] and ("GenuineIntel" not in text or "amx_bf16" in flags[0])
