// One step of Adam for many tensors at once; see Fused/Adam.cpp. STORED is REAL: float or double.

/// Tensors of one launch. The blocks of one y share a tensor.
struct AdamBatch {
  REAL *parameter[adam_batch], *first[adam_batch], *second[adam_batch];
  const REAL *gradient[adam_batch];
  int count[adam_batch];
  short counter[adam_batch];  // index of its step count
  bool decays[adam_batch];
};

KERNEL(adam)(const AdamBatch batch, const double *steps, const double *rate, double limit, double decay, double beta1,
             double beta2, double epsilon) {
  int own = blockIdx.y;
  SHARED REAL size, root;
  if (threadIdx.x == 0) {
    double step = steps[batch.counter[own]];
    size = *rate / (1 - pow(beta1, step));
    root = sqrt(1 - pow(beta2, step));
  }
  __syncthreads();
  REAL most = limit, kept = batch.decays[own] ? 1 - *rate * decay : 1, rest1 = 1 - beta1, old2 = beta2, rest2 = 1 - beta2;
  REAL *parameter = batch.parameter[own], *first = batch.first[own], *second = batch.second[own];
  const REAL *gradient = batch.gradient[own];
  for (int i = blockIdx.x * threads + threadIdx.x; i < batch.count[own]; i += gridDim.x * threads) {
    REAL g = gradient[i], m = first[i], v = second[i];
    g = g > most ? most : g < -most ? -most : g;  // NaN stays
    m += rest1 * (g - m);
    v = old2 * v + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = kept * parameter[i] - size * m / (sqrt(v) / root + REAL(epsilon));
  }
}
