// Norm and ReLU and their gradients, with the formulas of Fused/Kernels.inc.

/// Mean and Σ (x − mean)² of `count` values. `join` merges two sets exactly (Chan, Golub & LeVeque 1979).
template <typename R>
struct Moments {
  R count, mean, squares;

  DEVICE void join(const Moments &other) {
    if (other.count == 0) return;
    R total = count + other.count, difference = other.mean - mean;
    mean += difference * other.count / total;
    squares += other.squares + difference * difference * count * other.count / total;
    count = total;
  }
};

/// Measures means and squares of each block, [blocks, channels].
KERNEL(moments)(const STORED *x, int64 pixels, int channels, REAL *means, REAL *squares) {
  Place at = place(channels);
  // Differences from the first value stay as small as the deviation.
  Values origin = {}, sum = {}, square = {};
  int64 count = 0;
  FOR_PIXELS(at, pixels) {
    Values value = load(x + p * channels + at.channel);
    if (count++ == 0) origin = value;
    FOR_VALUES {
      REAL difference = value.of[i] - origin.of[i];
      sum.of[i] += difference;
      square.of[i] += difference * difference;
    }
  }
  SHARED Moments<REAL> found[VALUES][threads];
  FOR_VALUES {
    REAL shift = count ? sum.of[i] / count : 0;
    found[i][threadIdx.x] = {REAL(count), origin.of[i] + shift, square.of[i] - sum.of[i] * shift};
  }
  __syncthreads();
  for (int rows = at.rows; rows > 1; rows = (rows + 1) / 2) {
    int other = at.row + (rows + 1) / 2;
    if (at.active && other < rows) {
      FOR_VALUES found[i][threadIdx.x].join(found[i][threadIdx.x + (other - at.row) * at.lanes]);
    }
    __syncthreads();
  }
  if (!at.active || at.row > 0) return;
  FOR_VALUES {
    means[int64(blockIdx.x) * channels + at.channel + i] = found[i][threadIdx.x].mean;
    squares[int64(blockIdx.x) * channels + at.channel + i] = found[i][threadIdx.x].squares;
  }
}

/// Shape of a block that adds up the results of blocks: 8 channels by groups of blocks.
static constexpr int channels_of_block = 8, groups = threads / channels_of_block;

/// Adds up the groups' numbers and returns the sum to all of them.
DEVICE double sum_of_groups(double own, double (&found)[threads]) {
  __syncthreads();  // A sum before this one may still be read.
  found[threadIdx.x] = own;
  __syncthreads();
  for (int half = groups / 2; half > 0; half /= 2) {
    if (threadIdx.x < half * channels_of_block) found[threadIdx.x] += found[threadIdx.x + half * channels_of_block];
    __syncthreads();
  }
  return found[threadIdx.x % channels_of_block];
}

/// Computes the norm as scale x + shift. Training uses the blocks' moments and updates the running ones.
KERNEL(statistics)(const REAL *means, const REAL *squares, int blocks, int64 pixels, int channels, const REAL *weight,
                   const REAL *bias, REAL *running_mean, REAL *running_variance, int64 *batches, int training,
                   double momentum, double epsilon, REAL *mean, REAL *deviation, REAL *scale, REAL *shift) {
  int channel = blockIdx.x * channels_of_block + threadIdx.x % channels_of_block, group = threadIdx.x / channels_of_block;
  int end = training && channel < channels ? blocks : 0;
  SHARED double found[threads];
  double sum = 0, squared = 0;
  for (int block = group; block < end; block += groups) {
    Part part = part_of_block(pixels, block, blocks);
    sum += double(part.end - part.first) * means[int64(block) * channels + channel];
  }
  double center = sum_of_groups(sum, found) / pixels;
  for (int block = group; block < end; block += groups) {
    Part part = part_of_block(pixels, block, blocks);
    double difference = means[int64(block) * channels + channel] - center;
    squared += squares[int64(block) * channels + channel] + double(part.end - part.first) * difference * difference;
  }
  squared = sum_of_groups(squared, found);
  if (group > 0 || channel >= channels) return;
  double variance = squared / pixels;
  if (training) {
    running_mean[channel] += momentum * (center - running_mean[channel]);
    running_variance[channel] += momentum * (squared / (pixels - 1) - running_variance[channel]);
    if (batches && channel == 0) ++*batches;
  } else {
    center = running_mean[channel];
    variance = running_variance[channel];
  }
  double inverse = 1 / sqrt(variance + epsilon), gain = weight ? inverse * weight[channel] : inverse;
  mean[channel] = center;
  deviation[channel] = inverse;
  scale[channel] = gain;
  shift[channel] = (bias ? bias[channel] : 0) - center * gain;
}

KERNEL(scale_relu)(const STORED *x, int64 pixels, int channels, const REAL *scales, const REAL *shifts, STORED *y) {
  Place at = place(channels);
  if (!at.active) return;
  Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
  FOR_PIXELS(at, pixels) {
    Values value = load(x + p * channels + at.channel);
    FOR_VALUES {
      REAL z = value.of[i] * scale.of[i] + shift.of[i];
      value.of[i] = z > 0 ? z : 0;
    }
    store(value, y + p * channels + at.channel);
  }
}

KERNEL(region_relu)(const STORED *x, const STORED *map, int64 pixels, int channels, const REAL *scales,
                    const REAL *shifts, STORED *y) {
  Place at = place(channels);
  if (!at.active) return;
  Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
  FOR_PIXELS(at, pixels) {
    const STORED *own = map + 2 * p * channels + at.channel;
    Values value = load(x + p * channels + at.channel), gamma = load(own), beta = load(own + channels);
    FOR_VALUES {
      REAL z = (value.of[i] * scale.of[i] + shift.of[i]) * (1 + gamma.of[i]) + beta.of[i];
      value.of[i] = z > 0 ? z : 0;
    }
    store(value, y + p * channels + at.channel);
  }
}

/// Adds up the rows of this block.
DEVICE void write_sums(const Place &at, int channels, const Values &sum, REAL *sums) {
  SHARED REAL found[VALUES][threads];
  __syncthreads();  // Sums before these may still be read.
  FOR_VALUES found[i][threadIdx.x] = sum.of[i];
  __syncthreads();
  for (int rows = at.rows; rows > 1; rows = (rows + 1) / 2) {
    int other = at.row + (rows + 1) / 2;
    if (at.active && other < rows) {
      FOR_VALUES found[i][threadIdx.x] += found[i][threadIdx.x + (other - at.row) * at.lanes];
    }
    __syncthreads();
  }
  if (!at.active || at.row > 0) return;
  FOR_VALUES sums[int64(blockIdx.x) * channels + at.channel + i] = found[i][threadIdx.x];
}

/// Sums x of each block, [blocks, channels].
KERNEL(channel_sums)(const STORED *x, int64 pixels, int channels, REAL *sums) {
  Place at = place(channels);
  Values sum = {};
  FOR_PIXELS(at, pixels) {
    Values value = load(x + p * channels + at.channel);
    FOR_VALUES sum.of[i] += value.of[i];
  }
  write_sums(at, channels, sum, sums);
}

/// Sums of each block for the gradient of y = scale_relu: Σ g and Σ g (x − mean), with g = dy where y > 0.
KERNEL(scale_relu_sums)(const STORED *x, const STORED *dy, int64 pixels, int channels, const REAL *scales,
                        const REAL *shifts, const REAL *means, REAL *first, REAL *second) {
  Place at = place(channels);
  Values sum = {}, product = {};
  if (at.active) {
    Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
    Values mean = channel_values(means + at.channel);
    FOR_PIXELS(at, pixels) {
      Values value = load(x + p * channels + at.channel), d = load(dy + p * channels + at.channel);
      FOR_VALUES {
        REAL g = value.of[i] * scale.of[i] + shift.of[i] > 0 ? d.of[i] : 0;
        sum.of[i] += g;
        product.of[i] += g * (value.of[i] - mean.of[i]);
      }
    }
  }
  write_sums(at, channels, sum, first);
  write_sums(at, channels, product, second);
}

/// Gradient of y = region_relu by the map, and sums of each block: Σ g (1 + γ) and Σ g (1 + γ) x̂.
///
/// g = dy where y > 0, and x̂ = scale x + shift. `dmap` gets dγ = g x̂ and dβ = g.
KERNEL(region_relu_sums)(const STORED *x, const STORED *map, const STORED *dy, int64 pixels, int channels,
                         const REAL *scales, const REAL *shifts, STORED *dmap, REAL *first, REAL *second) {
  Place at = place(channels);
  Values sum = {}, product = {};
  if (at.active) {
    Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
    FOR_PIXELS(at, pixels) {
      int64 own = 2 * p * channels + at.channel;
      Values value = load(x + p * channels + at.channel), d = load(dy + p * channels + at.channel);
      Values gamma = load(map + own), beta = load(map + own + channels);
      FOR_VALUES {
        REAL normalized = value.of[i] * scale.of[i] + shift.of[i], factor = 1 + gamma.of[i];
        REAL g = normalized * factor + beta.of[i] > 0 ? d.of[i] : 0;
        gamma.of[i] = g * normalized;
        beta.of[i] = g;
        sum.of[i] += g * factor;
        product.of[i] += g * factor * normalized;
      }
      store(gamma, dmap + own);
      store(beta, dmap + own + channels);
    }
  }
  write_sums(at, channels, sum, first);
  write_sums(at, channels, product, second);
}

/// Adds up the blocks' sums of this thread's channel.
DEVICE double total(const REAL *sums, int blocks, int channels) {
  int channel = blockIdx.x * channels_of_block + threadIdx.x % channels_of_block, group = threadIdx.x / channels_of_block;
  SHARED double found[threads];
  double sum = 0;
  for (int block = group; block < (channel < channels ? blocks : 0); block += groups)
    sum += sums[int64(block) * channels + channel];
  return sum_of_groups(sum, found);
}

KERNEL(total_sums)(const REAL *sums, int blocks, int channels, REAL *result) {
  double sum = total(sums, blocks, channels);
  int channel = blockIdx.x * channels_of_block + threadIdx.x;
  if (threadIdx.x < channels_of_block && channel < channels) result[channel] = sum;
}

/// Gradients by weight and bias, and slope and offset for the kernels below; see NormReLU::gradients.
///
/// `size` is the number of pixels that the statistics depend on, infinity if they depend on none.
KERNEL(total_gradients)(const REAL *first, const REAL *second, int blocks, int channels, const REAL *mean,
                        const REAL *deviation, const REAL *scale, int has_map, double size, REAL *weight, REAL *bias,
                        REAL *slope, REAL *offset) {
  double sum = total(first, blocks, channels), normalized = total(second, blocks, channels);
  int c = blockIdx.x * channels_of_block + threadIdx.x;
  if (threadIdx.x >= channels_of_block || c >= channels) return;
  double inverse = deviation[c], center = mean[c], gain = scale[c];
  if (!has_map) normalized *= inverse;
  weight[c] = normalized;
  bias[c] = sum;
  slope[c] = -gain * inverse * normalized / size;
  offset[c] = -gain * sum / size + gain * inverse * center * normalized / size;
}

/// Computes dx = scale g + slope x + offset.
KERNEL(scale_relu_input)(const STORED *x, const STORED *dy, int64 pixels, int channels, const REAL *scales,
                         const REAL *shifts, const REAL *slopes, const REAL *offsets, STORED *dx) {
  Place at = place(channels);
  if (!at.active) return;
  Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
  Values slope = channel_values(slopes + at.channel), offset = channel_values(offsets + at.channel);
  FOR_PIXELS(at, pixels) {
    Values value = load(x + p * channels + at.channel), d = load(dy + p * channels + at.channel);
    FOR_VALUES {
      REAL g = value.of[i] * scale.of[i] + shift.of[i] > 0 ? d.of[i] : 0;
      value.of[i] = scale.of[i] * g + slope.of[i] * value.of[i] + offset.of[i];
    }
    store(value, dx + p * channels + at.channel);
  }
}

/// Computes dx = scale g (1 + γ) + slope x + offset.
KERNEL(region_relu_input)(const STORED *x, const STORED *map, const STORED *dy, int64 pixels, int channels,
                          const REAL *scales, const REAL *shifts, const REAL *slopes, const REAL *offsets, STORED *dx) {
  Place at = place(channels);
  if (!at.active) return;
  Values scale = channel_values(scales + at.channel), shift = channel_values(shifts + at.channel);
  Values slope = channel_values(slopes + at.channel), offset = channel_values(offsets + at.channel);
  FOR_PIXELS(at, pixels) {
    int64 own = 2 * p * channels + at.channel;
    Values value = load(x + p * channels + at.channel), d = load(dy + p * channels + at.channel);
    Values gamma = load(map + own), beta = load(map + own + channels);
    FOR_VALUES {
      REAL factor = 1 + gamma.of[i];
      REAL g = (value.of[i] * scale.of[i] + shift.of[i]) * factor + beta.of[i] > 0 ? d.of[i] : 0;
      value.of[i] = scale.of[i] * g * factor + slope.of[i] * value.of[i] + offset.of[i];
    }
    store(value, dx + p * channels + at.channel);
  }
}

/// Adds the bias, and the residual if there is one, to y.
KERNEL(add_bias)(STORED *y, int64 pixels, int channels, const REAL *biases, const STORED *residual) {
  Place at = place(channels);
  if (!at.active) return;
  Values bias = channel_values(biases + at.channel);
  FOR_PIXELS(at, pixels) {
    Values value = load(y + p * channels + at.channel);
    FOR_VALUES value.of[i] += bias.of[i];
    if (residual) {
      Values more = load(residual + p * channels + at.channel);
      FOR_VALUES value.of[i] += more.of[i];
    }
    store(value, y + p * channels + at.channel);
  }
}
