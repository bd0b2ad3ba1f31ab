#pragma once

#include <cstdint>
#include <functional>

/// Runs body(0), body(1), …, body(count − 1) on as many threads as LibTorch's own operations use, in no order.
void run_parallel(int64_t count, const std::function<void(int64_t)> &body);
