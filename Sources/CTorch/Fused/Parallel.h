#pragma once

#include <cstdint>
#include <functional>

/// Runs body(0), …, body(count − 1) in any order, on as many threads as LibTorch uses.
void run_parallel(int64_t count, const std::function<void(int64_t)> &body);
