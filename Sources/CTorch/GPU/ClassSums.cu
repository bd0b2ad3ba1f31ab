// The sums of ct_class_sums, for CLASSES classes. Logits are images × pixels × CLASSES. The blocks of one y share an image.

/// The sums, in the order of ct_class_sums.
enum Sum { overlap, predicted, squares_of, truth, logs, clamped_logs, chosen_overlap, chosen, sums };

// Unrolled loops keep the sums of few classes in registers. With many classes they would only compile slowly.
static constexpr int unrolled = CLASSES <= 8 ? CLASSES : 1;

#define FOR_CLASSES _Pragma("unroll unrolled") for (int k = 0; k < CLASSES; k++)

struct Pixel {
  REAL p[CLASSES], logits[CLASSES], log_sum;
};

DEVICE Pixel softmax(const STORED *logits) {
  Pixel pixel;
  REAL largest = real(logits[0]), sum = 0;
  FOR_CLASSES {
    pixel.logits[k] = real(logits[k]);
    largest = pixel.logits[k] > largest ? pixel.logits[k] : largest;
  }
  FOR_CLASSES sum += pixel.p[k] = exp(pixel.logits[k] - largest);
  FOR_CLASSES pixel.p[k] /= sum;
  pixel.log_sum = largest + log(sum);
  return pixel;
}

/// Sums of each block, [images, blocks, CLASSES, sums].
KERNEL(class_sums)(const STORED *all_logits, const int64 *labels, int64 pixels, double least, REAL *result) {
  REAL into[CLASSES][sums] = {};
  Part part = part_of_block(pixels, blockIdx.x, gridDim.x);
  for (int64 i = part.first + threadIdx.x; i < part.end; i += threads) {
    int64 at = blockIdx.y * pixels + i;
    Pixel pixel = softmax(all_logits + at * CLASSES);
    int label = static_cast<int>(labels[at]), best = 0;
    REAL most = pixel.p[0];
    FOR_CLASSES {
      if (pixel.p[k] > most) {
        most = pixel.p[k];
        best = k;
      }
    }
    FOR_CLASSES {
      REAL p = pixel.p[k];
      into[k][predicted] += p;
      into[k][squares_of] += p * p;
      if (k == best) into[k][chosen] += 1;
      if (k != label) continue;
      into[k][overlap] += p;
      into[k][truth] += 1;
      into[k][logs] += pixel.logits[k] - pixel.log_sum;
      into[k][clamped_logs] += log(p > REAL(least) ? p < 1 ? p : 1 : REAL(least));
      if (k == best) into[k][chosen_overlap] += 1;
    }
  }
  SHARED REAL found[sums][threads];
  FOR_CLASSES {
    for (int j = 0; j < sums; j++) found[j][threadIdx.x] = into[k][j];
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
      if (threadIdx.x < half)
        for (int j = 0; j < sums; j++) found[j][threadIdx.x] += found[j][threadIdx.x + half];
      __syncthreads();
    }
    if (threadIdx.x < sums)
      result[((int64(blockIdx.y) * gridDim.x + blockIdx.x) * CLASSES + k) * sums + threadIdx.x] = found[threadIdx.x][0];
    __syncthreads();
  }
}

/// Adds up the blocks, one thread for each of [images, CLASSES, sums].
KERNEL(class_totals)(const REAL *found, int images, int blocks, REAL *result) {
  int index = blockIdx.x * threads + threadIdx.x, image = index / (CLASSES * sums), own = index % (CLASSES * sums);
  if (image >= images) return;
  double sum = 0;
  for (int block = 0; block < blocks; block++) sum += found[(int64(image) * blocks + block) * CLASSES * sums + own];
  result[index] = sum;
}

/// Gradient by the logits. `all_d` is the gradient by the sums, [images, CLASSES, sums].
KERNEL(class_gradient)(const STORED *all_logits, const int64 *labels, int64 pixels, double least, const REAL *all_d,
                       STORED *result) {
  const REAL *d = all_d + blockIdx.y * CLASSES * sums;
  Part part = part_of_block(pixels, blockIdx.x, gridDim.x);
  for (int64 i = part.first + threadIdx.x; i < part.end; i += threads) {
    int64 at = blockIdx.y * pixels + i;
    Pixel pixel = softmax(all_logits + at * CLASSES);
    int label = static_cast<int>(labels[at]);
    REAL mean = 0, likelihood = 0, gradient[CLASSES];
    FOR_CLASSES {
      REAL p = pixel.p[k], g = d[k * sums + predicted] + 2 * p * d[k * sums + squares_of];
      if (k == label) {
        g += d[k * sums + overlap];
        if (p >= REAL(least)) g += d[k * sums + clamped_logs] / p;
        likelihood = d[k * sums + logs];
      }
      gradient[k] = g;
      mean += g * p;
    }
    FOR_CLASSES {
      REAL own = k == label ? 1 : 0;
      set(result[at * CLASSES + k], pixel.p[k] * (gradient[k] - mean) + likelihood * (own - pixel.p[k]));
    }
  }
}

#undef FOR_CLASSES
