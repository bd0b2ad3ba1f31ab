// C functions over LibTorch.
//
// Ownership: the caller frees a returned handle once, with its free function. Arguments are borrowed.
// Errors: null or false means failure. ct_error then returns the message of this thread's last failure.
// Names: functions have the prefix ct_, types and constants CT. CITK and CDICOM follow the same rules.
// Sizes are ptrdiff_t, so that Swift passes [Int] without a copy. A tensor stays on the thread that made it.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CTTensor CTTensor;
typedef struct CTGenerator CTGenerator;
/// A captured CUDA graph.
typedef struct CTGraph CTGraph;

/// A tensor's element type. The values are those of c10::ScalarType.
typedef enum CTType : int32_t {
  CTTypeUInt8 = 0,
  CTTypeInt8 = 1,
  CTTypeInt16 = 2,
  CTTypeInt32 = 3,
  CTTypeInt64 = 4,
  CTTypeFloat16 = 5,
  CTTypeFloat32 = 6,
  CTTypeFloat64 = 7,
  CTTypeBool = 11,
  CTTypeBFloat16 = 15,
} CTType;

/// Returns the message of the last failure on this thread.
const char *ct_error(void);

// MARK: Process

/// Returns the version of LibTorch that this was compiled against.
const char *ct_version(void);
bool ct_set_threads(int32_t count);
int32_t ct_threads(void);
/// Flushes denormal numbers to 0, on this thread and those it makes. False where the processor cannot.
bool ct_flush_denormals(void);
/// Caches the memory of freed large tensors for later ones.
void ct_cache_memory(void);
/// Turns autograd on or off for this thread. Returns the previous state.
bool ct_set_gradients_enabled(bool enabled);
/// Lets GPUs round the float32 inputs of convolutions to TensorFloat-32.
void ct_allow_tf32(bool allowed);
/// Begins autocast: convolutions round their inputs to bfloat16.
bool ct_begin_bfloat16(void);
/// Ends autocast.
void ct_end_bfloat16(void);

// MARK: Devices

/// The CPU's index. GPUs count from 0.
enum { CTDeviceCPU = -1 };
/// Loads LibTorch's CUDA library once, before any use of a GPU. Refuses one of another version than ct_version.
///
/// Looks beside libtorch_cpu first, then in the folders of the dynamic linker.
bool ct_load_cuda(void);
/// Returns the number of GPUs, 0 before ct_load_cuda.
ptrdiff_t ct_gpu_count(void);
/// Tells whether a device multiplies bfloat16 faster than float.
bool ct_has_bfloat16(int32_t device);
int32_t ct_device(const CTTensor *tensor);
CTTensor *_Nullable ct_to_device(const CTTensor *tensor, int32_t device);
/// Returns why a device cannot run the fused operations below; null if it can.
const char *_Nullable ct_why_not_fused(int32_t device);
/// Returns the peak of a GPU's memory that LibTorch has reserved, in bytes.
ptrdiff_t ct_gpu_peak_memory(int32_t device);
/// Waits until a device has finished its work.
void ct_synchronize(int32_t device);

/// Starts capturing this thread's GPU work. Nothing runs until ct_graph_replay.
CTGraph *_Nullable ct_graph_begin_capture(int32_t device);
bool ct_graph_end_capture(CTGraph *graph);
/// Launches the captured work, without waiting for it.
bool ct_graph_replay(CTGraph *graph);
void ct_graph_free(CTGraph *graph);

// MARK: Tests

/// Switches this thread's fused operations to GPU kernels that the CPU runs. False in builds without emulation.
bool ct_emulate_gpu(bool emulated);
/// Tells whether the CUDA library of this path has the version of ct_version. Does not load it.
bool ct_check_cuda_version(const char *path);
/// Tells whether the object that `construct` makes stays within the memory of a graph.
bool ct_check_graph_size(void (*construct)(void *memory));

// MARK: Random numbers

/// Makes a generator with the numbers of PyTorch after torch.manual_seed(seed).
CTGenerator *_Nullable ct_generator(uint64_t seed);
void ct_generator_free(CTGenerator *generator);
bool ct_fill_uniform(CTTensor *x, double low, double high, CTGenerator *generator);

// MARK: Tensors

CTTensor *_Nullable ct_from_bytes(const void *bytes, CTType type, const ptrdiff_t *sizes, ptrdiff_t rank);
CTTensor *_Nullable ct_full(const ptrdiff_t *sizes, ptrdiff_t rank, double value, CTType type);
void ct_free(CTTensor *tensor);
ptrdiff_t ct_rank(const CTTensor *tensor);
ptrdiff_t ct_size(const CTTensor *tensor, ptrdiff_t dimension);
CTType ct_type(const CTTensor *tensor);
bool ct_copy_bytes(const CTTensor *tensor, void *bytes, ptrdiff_t count);
CTTensor *_Nullable ct_to_type(const CTTensor *tensor, CTType type);
CTTensor *_Nullable ct_copy(const CTTensor *tensor);
/// Returns x [N, C, H, W] or [N, C, D, H, W] with the channels last in memory.
CTTensor *_Nullable ct_channels_last(const CTTensor *tensor);

// MARK: Autograd

CTTensor *_Nullable ct_detach(const CTTensor *tensor);
bool ct_require_gradient(CTTensor *tensor, bool required);
/// Tells whether a tensor requires a gradient, or depends on one that does.
bool ct_requires_gradient(const CTTensor *tensor);
bool ct_backward(const CTTensor *tensor);
/// Returns the accumulated gradient; null, without an error, where there is none.
CTTensor *_Nullable ct_gradient(const CTTensor *tensor);
void ct_clear_gradient(CTTensor *tensor);

// MARK: Arithmetic, elementwise with broadcasting

CTTensor *_Nullable ct_add(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_subtract(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_multiply(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_divide(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_add_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_multiply_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_divide_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_relu(const CTTensor *x);
CTTensor *_Nullable ct_leaky_relu(const CTTensor *x, double slope);
/// Computes x where it is positive, else its product with the slope of its channel, [C].
CTTensor *_Nullable ct_prelu(const CTTensor *x, const CTTensor *slopes);
/// Computes x Φ(x), with the exact normal distribution.
CTTensor *_Nullable ct_gelu(const CTTensor *x);
CTTensor *_Nullable ct_sigmoid(const CTTensor *x);
CTTensor *_Nullable ct_log(const CTTensor *x);
CTTensor *_Nullable ct_flip(const CTTensor *x, const ptrdiff_t *axes, ptrdiff_t count);
CTTensor *_Nullable ct_sqrt(const CTTensor *x);
CTTensor *_Nullable ct_clamp(const CTTensor *x, double low, double high);
/// Multiplies matrices, the last two dimensions. Autocast does not apply.
CTTensor *_Nullable ct_matrix_product(const CTTensor *a, const CTTensor *b);

// MARK: Reductions and shapes

/// Sums over `count` dimensions, over all if `count` is 0.
CTTensor *_Nullable ct_sum(const CTTensor *x, const ptrdiff_t *dimensions, ptrdiff_t count);
CTTensor *_Nullable ct_mean(const CTTensor *x);
CTTensor *_Nullable ct_softmax(const CTTensor *x, ptrdiff_t dimension);
CTTensor *_Nullable ct_log_softmax(const CTTensor *x, ptrdiff_t dimension);
CTTensor *_Nullable ct_argmax(const CTTensor *x, ptrdiff_t dimension);
/// Encodes labels as one-hot vectors, with the classes as the last dimension.
CTTensor *_Nullable ct_one_hot(const CTTensor *labels, ptrdiff_t classes);
CTTensor *_Nullable ct_permute(const CTTensor *x, const ptrdiff_t *order, ptrdiff_t rank);
CTTensor *_Nullable ct_reshape(const CTTensor *x, const ptrdiff_t *sizes, ptrdiff_t rank);
CTTensor *_Nullable ct_concatenate(const CTTensor *_Nonnull const *_Nonnull parts, ptrdiff_t count, ptrdiff_t dimension);
CTTensor *_Nullable ct_narrow(const CTTensor *x, ptrdiff_t dimension, ptrdiff_t start, ptrdiff_t count);
/// Pads with zeros. `amounts` starts with the last dimension.
CTTensor *_Nullable ct_pad(const CTTensor *x, const ptrdiff_t *amounts, ptrdiff_t count);

// MARK: Layers

CTTensor *_Nullable ct_conv2d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias, ptrdiff_t padding);
CTTensor *_Nullable ct_conv_transpose2d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias,
                                        ptrdiff_t stride, ptrdiff_t padding, ptrdiff_t output_padding);
CTTensor *_Nullable ct_max_pool2d(const CTTensor *x, ptrdiff_t size);
/// Averages boxes of a stride along each axis, in slices or volumes; incomplete boxes are left out.
CTTensor *_Nullable ct_average_pool(const CTTensor *x, const ptrdiff_t *strides);
/// Convolves slices or volumes with a stride for each axis. Pads by (side − 1) / 2, rounded down.
CTTensor *_Nullable ct_strided_conv(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias,
                                    const ptrdiff_t *strides);
/// Computes a transposed convolution without padding, in slices or volumes, which makes a box of every voxel.
CTTensor *_Nullable ct_up_conv(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias,
                               const ptrdiff_t *strides);
CTTensor *_Nullable ct_batch_norm(const CTTensor *x, const CTTensor *_Nullable weight, const CTTensor *_Nullable bias,
                                  const CTTensor *mean, const CTTensor *variance, bool training, double momentum,
                                  double epsilon);
CTTensor *_Nullable ct_instance_norm(const CTTensor *x, double epsilon);
CTTensor *_Nullable ct_group_norm(const CTTensor *x, ptrdiff_t groups, const CTTensor *weight, const CTTensor *bias,
                                  double epsilon);
CTTensor *_Nullable ct_layer_norm(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, double epsilon);
/// Resizes with bilinear interpolation and aligned corners.
CTTensor *_Nullable ct_resize_bilinear(const CTTensor *x, ptrdiff_t height, ptrdiff_t width);
CTTensor *_Nullable ct_resize_nearest(const CTTensor *x, ptrdiff_t height, ptrdiff_t width);

// Volumes: x [N, C, D, H, W]. `strides` and `size` have three elements.

/// Convolves and keeps the size: pads by half of the odd kernel.
CTTensor *_Nullable ct_conv3d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias);
/// Computes a transposed convolution that multiplies the size by strides of 1 or 2, with kernels of 1 or 3.
CTTensor *_Nullable ct_conv_transpose3d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias,
                                        const ptrdiff_t *strides);
CTTensor *_Nullable ct_max_pool3d(const CTTensor *x, const ptrdiff_t *strides);
/// Resizes with trilinear interpolation and aligned corners.
CTTensor *_Nullable ct_resize_trilinear(const CTTensor *x, const ptrdiff_t *size);
CTTensor *_Nullable ct_resize_nearest3d(const CTTensor *x, const ptrdiff_t *size);

// MARK: Fused operations
//
// They save only x [N, C, H, W], channels-last, for the gradient. Volumes of `depth` slices are [N, C, depth H, W]; `depth`
// is 0 for images.

/// Batch norm. `weight` and `bias` [C] are its affine parameters, unless `map` [N, 2 C, H, W] takes their place.
///
/// `map` holds, for each pixel, the γ of all channels, then the β. Values that share a mean and a variance are those of a
/// run of rows and a group of channels. Weight, bias and running statistics are [C], or [runs, C].
typedef struct CTNorm {
  const CTTensor *_Nullable weight, *_Nullable bias, *_Nullable map;
  const CTTensor *_Nullable mean, *_Nullable variance;  // running statistics: updated if `training`, else used
  const CTTensor *_Nullable batches;  // scalar int64, the number of training batches
  bool training;
  double momentum, epsilon;
  const int64_t *_Nullable rows;  // of each run; null and no runs where all rows are one
  ptrdiff_t runs, channels;       // of a group
} CTNorm;
/// Tells whether a fused norm of x may have several runs of rows and groups of several channels.
bool ct_norm_takes_sets(const CTTensor *x);
/// Computes conv(ReLU(norm(x))), plus the residual if there is one. Volumes keep their size, whatever the padding.
CTTensor *_Nullable ct_norm_relu_conv(const CTTensor *x, const CTNorm *norm, const CTTensor *weight, const CTTensor *bias,
                                      ptrdiff_t padding, ptrdiff_t depth, const CTTensor *_Nullable residual);
/// Computes a 3×3 transposed convolution of stride 2 of ReLU(norm(x)), which doubles the size.
CTTensor *_Nullable ct_norm_relu_conv_transpose2d(const CTTensor *x, const CTNorm *norm, const CTTensor *weight,
                                                  const CTTensor *bias);
/// Computes ReLU(norm(x)) for x [N, C, H, W].
CTTensor *_Nullable ct_norm_relu(const CTTensor *x, const CTNorm *norm);
/// Computes conv([a, b]), with the channels concatenated, or conv(a). Volumes keep their size, whatever the padding.
CTTensor *_Nullable ct_concatenated_conv(const CTTensor *a, const CTTensor *_Nullable b, const CTTensor *weight,
                                         const CTTensor *bias, ptrdiff_t padding, ptrdiff_t depth);
/// Max-pools by 2 and saves no indices.
CTTensor *_Nullable ct_max_pool2x2(const CTTensor *x);
/// Sums, over each image's pixels, the terms of losses: logits [N, classes, H, W] -> [N, classes, 8].
///
/// p is the softmax, t the one-hot vector of labels int64 [N, H, W], h that of the most probable class.
/// The first six sums are differentiable: p t, p, p², t, t log p and t log max(p, least). Then come h t and h.
CTTensor *_Nullable ct_class_sums(const CTTensor *logits, const CTTensor *labels, double least);
/// Returns each pixel's channel of the largest value, the first of equals: [N, C, H, W] -> uint8 [N, H, W].
CTTensor *_Nullable ct_largest_channel(const CTTensor *x);

// MARK: In place, outside autograd

typedef struct CTAdam {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double limit;  // clips gradients to ± this
  bool plain;    // uses LibTorch's operations, as ct_adam always does on a GPU
} CTAdam;
/// Updates one parameter. `step` counts from 1.
bool ct_adam(CTTensor *parameter, const CTTensor *gradient, CTTensor *first, CTTensor *second, const CTAdam *settings,
             int64_t step);
/// A parameter of ct_adam_multi_tensor with its gradient and moments.
typedef struct CTAdamTensors {
  const CTTensor *parameter, *gradient, *first, *second;
  ptrdiff_t place;  // index into `steps`
  bool decays;
} CTAdamTensors;
/// Updates many parameters in few launches on a GPU. Step counts and learning rate are on the GPU too.
///
/// `mask` is added to `steps`, both double [n]: 1 at the place of each of these tensors, else 0.
/// `rate` is the learning rate, double, in place of the settings'.
bool ct_adam_multi_tensor(const CTAdamTensors *tensors, ptrdiff_t count, CTTensor *steps, const CTTensor *mask,
                          const CTTensor *rate, const CTAdam *settings);
bool ct_fill(CTTensor *x, double value);
bool ct_assign(CTTensor *x, const CTTensor *value);
/// Adds `value`, broadcast to x.
bool ct_add_in_place(CTTensor *x, const CTTensor *value);
bool ct_add_scalar_in_place(CTTensor *x, double value);
bool ct_lerp_in_place(CTTensor *x, const CTTensor *end, double weight);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
