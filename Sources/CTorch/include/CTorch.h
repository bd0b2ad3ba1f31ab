// C functions over LibTorch.
//
// Ownership: a returned CTTensor is yours, free it once with ct_free; an argument is borrowed.
// Errors: a null return (or false) means failure; ct_error then holds LibTorch's message, on the calling thread.
// Sizes are ptrdiff_t, so that Swift passes [Int] without a copy. Tensors stay on the thread that made them.
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

// The values are c10::ScalarType's.
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

/// The message of the last failure on this thread.
const char *ct_error(void);

// Process
const char *ct_version(void);
void ct_set_threads(int32_t count);
bool ct_flush_denormals(void);  // on this thread and those it makes; false where the processor cannot
int32_t ct_threads(void);
void ct_keep_memory(void);  // large blocks of tensors that are freed serve the next ones
bool ct_set_gradients_enabled(bool enabled);  // returns what it was
void ct_allow_tf32(bool allowed);             // convolutions of float32 on GPUs round their inputs to TensorFloat-32
bool ct_begin_bfloat16(void);                 // convolutions from now on round their inputs to bfloat16 (autocast)
void ct_end_bfloat16(void);

// Devices: the index of a GPU, or this
enum { CTDeviceCPU = -1 };
/// Loads LibTorch's CUDA half, from beside its CPU half or where the system looks; once, before any use of a GPU.
bool ct_load_cuda(void);
ptrdiff_t ct_gpu_count(void);  // 0 before ct_load_cuda
bool ct_has_bfloat16(int32_t device);  // and multiplies it faster than float
int32_t ct_device(const CTTensor *tensor);
CTTensor *_Nullable ct_to_device(const CTTensor *tensor, int32_t device);
/// Why the fused operations below cannot run on this device; null if they can.
const char *_Nullable ct_why_not_fused(int32_t device);
ptrdiff_t ct_gpu_peak_memory(int32_t device);  // bytes that LibTorch has held at most
void ct_synchronize(int32_t device);           // waits until the device has done all it was given

/// What a GPU was given to do by this thread, to be given again as a whole.
typedef struct CTGraph CTGraph;
/// Begins to note all that this thread gives the device, which does none of it before ct_graph_replay.
CTGraph *_Nullable ct_graph_begin(int32_t device);
bool ct_graph_end(CTGraph *graph);
bool ct_graph_replay(CTGraph *graph);
void ct_graph_free(CTGraph *graph);

/// For tests: whether the fused operations on this thread are a GPU's, run by the CPU. False where this is built without.
bool ct_emulate_gpu(bool emulated);

// Random numbers, those of PyTorch after torch.manual_seed(seed)
CTGenerator *_Nullable ct_generator(uint64_t seed);
void ct_generator_free(CTGenerator *generator);
bool ct_fill_uniform(CTTensor *x, double low, double high, CTGenerator *generator);

// Tensors
CTTensor *_Nullable ct_from_bytes(const void *bytes, CTType type, const ptrdiff_t *sizes, ptrdiff_t rank);
CTTensor *_Nullable ct_full(const ptrdiff_t *sizes, ptrdiff_t rank, double value, CTType type);
void ct_free(CTTensor *tensor);
ptrdiff_t ct_rank(const CTTensor *tensor);
ptrdiff_t ct_size(const CTTensor *tensor, ptrdiff_t dimension);
CTType ct_type(const CTTensor *tensor);
bool ct_copy_bytes(const CTTensor *tensor, void *bytes, ptrdiff_t count);
CTTensor *_Nullable ct_to_type(const CTTensor *tensor, CTType type);
CTTensor *_Nullable ct_copy(const CTTensor *tensor);
CTTensor *_Nullable ct_channels_last(const CTTensor *tensor);

// Autograd
CTTensor *_Nullable ct_detach(const CTTensor *tensor);
bool ct_require_gradient(CTTensor *tensor, bool required);
bool ct_requires_gradient(const CTTensor *tensor);  // or was made of one that does
bool ct_backward(const CTTensor *tensor);
CTTensor *_Nullable ct_gradient(const CTTensor *tensor);  // null without an error: there is none
void ct_clear_gradient(CTTensor *tensor);

// Arithmetic, elementwise with broadcasting
CTTensor *_Nullable ct_add(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_subtract(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_multiply(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_divide(const CTTensor *a, const CTTensor *b);
CTTensor *_Nullable ct_add_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_multiply_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_divide_scalar(const CTTensor *a, double b);
CTTensor *_Nullable ct_relu(const CTTensor *x);
CTTensor *_Nullable ct_log(const CTTensor *x);
CTTensor *_Nullable ct_sqrt(const CTTensor *x);
CTTensor *_Nullable ct_clamp(const CTTensor *x, double low, double high);
CTTensor *_Nullable ct_matrix_product(const CTTensor *a, const CTTensor *b);  // of the last two dimensions

// Reductions and shapes
CTTensor *_Nullable ct_sum(const CTTensor *x, const ptrdiff_t *dimensions, ptrdiff_t count);  // count 0: all
CTTensor *_Nullable ct_mean(const CTTensor *x);
CTTensor *_Nullable ct_softmax(const CTTensor *x, ptrdiff_t dimension);
CTTensor *_Nullable ct_log_softmax(const CTTensor *x, ptrdiff_t dimension);
CTTensor *_Nullable ct_argmax(const CTTensor *x, ptrdiff_t dimension);
CTTensor *_Nullable ct_one_hot(const CTTensor *labels, ptrdiff_t classes);  // classes last
CTTensor *_Nullable ct_permute(const CTTensor *x, const ptrdiff_t *order, ptrdiff_t rank);
CTTensor *_Nullable ct_reshape(const CTTensor *x, const ptrdiff_t *sizes, ptrdiff_t rank);
CTTensor *_Nullable ct_concatenate(const CTTensor *_Nonnull const *_Nonnull parts, ptrdiff_t count, ptrdiff_t dimension);
CTTensor *_Nullable ct_narrow(const CTTensor *x, ptrdiff_t dimension, ptrdiff_t start, ptrdiff_t count);
CTTensor *_Nullable ct_pad(const CTTensor *x, const ptrdiff_t *amounts, ptrdiff_t count);  // last dimension first

// Layers
CTTensor *_Nullable ct_conv2d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias, ptrdiff_t padding);
CTTensor *_Nullable ct_conv_transpose2d(const CTTensor *x, const CTTensor *weight, const CTTensor *_Nullable bias,
                                        ptrdiff_t stride, ptrdiff_t padding, ptrdiff_t output_padding);
CTTensor *_Nullable ct_max_pool2d(const CTTensor *x, ptrdiff_t size);
CTTensor *_Nullable ct_batch_norm(const CTTensor *x, const CTTensor *_Nullable weight, const CTTensor *_Nullable bias,
                                  const CTTensor *mean, const CTTensor *variance, bool training, double momentum,
                                  double epsilon);
CTTensor *_Nullable ct_instance_norm(const CTTensor *x, double epsilon);
CTTensor *_Nullable ct_group_norm(const CTTensor *x, ptrdiff_t groups, const CTTensor *weight, const CTTensor *bias,
                                  double epsilon);
CTTensor *_Nullable ct_layer_norm(const CTTensor *x, const CTTensor *weight, const CTTensor *bias, double epsilon);
CTTensor *_Nullable ct_resize_bilinear(const CTTensor *x, ptrdiff_t height, ptrdiff_t width);  // aligned corners
CTTensor *_Nullable ct_resize_nearest(const CTTensor *x, ptrdiff_t height, ptrdiff_t width);

// Fused: conv(ReLU(norm(x))), x [N, C, H, W] as channels-last; keeps x alone for the gradient

/// Batch norm by weight and bias [C], or by `map` [N, 2 C, H, W]: of each pixel the γ of all channels, then the β.
typedef struct CTNorm {
  const CTTensor *_Nullable weight, *_Nullable bias, *_Nullable map;
  const CTTensor *mean, *variance;  // [C]: running statistics, updated if `training`, otherwise used
  const CTTensor *_Nullable batches;  // scalar int64, counts those that were measured
  bool training;
  double momentum, epsilon;
} CTNorm;
CTTensor *_Nullable ct_norm_relu_conv2d(const CTTensor *x, const CTNorm *norm, const CTTensor *weight,
                                        const CTTensor *bias, ptrdiff_t padding,
                                        const CTTensor *_Nullable residual);  // added to the result
CTTensor *_Nullable ct_norm_relu_doubling(const CTTensor *x, const CTNorm *norm, const CTTensor *weight,
                                          const CTTensor *bias);  // 3×3 transposed, stride 2
CTTensor *_Nullable ct_joined_conv2d(const CTTensor *a, const CTTensor *_Nullable b, const CTTensor *weight,
                                     const CTTensor *bias, ptrdiff_t padding);  // conv([a, b]), joined channels
CTTensor *_Nullable ct_halve_by_maximum(const CTTensor *x);  // max pooling by 2
/// Of the softmax p of logits [N, classes, H, W] and the one-hot t of labels int64 [N, H, W]; [N, classes, 8]: the sums
/// over an image's pixels of p t, p, p², t, t log p and t log max(p, least), differentiable; with h the one-hot of the
/// most probable class, of h t and h.
CTTensor *_Nullable ct_class_sums(const CTTensor *logits, const CTTensor *labels, double least);
CTTensor *_Nullable ct_largest_channel(const CTTensor *x);  // [N, C, H, W] -> its index, uint8 [N, H, W]; first of equals

// In place, outside autograd
typedef struct CTAdam {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double limit;  // gradients are clipped to ± this
  bool plain;    // one operation of LibTorch after the other, as this function always works on a GPU
} CTAdam;
bool ct_adam(CTTensor *parameter, const CTTensor *gradient, CTTensor *first, CTTensor *second, const CTAdam *settings,
             int64_t step);  // steps count from 1
/// Many parameters in few launches on a GPU, where the numbers of steps, double [n], are too: `moved` is added to them, 1
/// at the place of each of these tensors and 0 elsewhere. `rate`: the learning rate, double, in place of the settings'.
typedef struct CTAdamTensors {
  const CTTensor *parameter, *gradient, *first, *second;
  ptrdiff_t place;  // among the steps
  bool decays;
} CTAdamTensors;
bool ct_adam_together(const CTAdamTensors *tensors, ptrdiff_t count, CTTensor *steps, const CTTensor *moved,
                      const CTTensor *rate, const CTAdam *settings);
bool ct_fill(CTTensor *x, double value);
bool ct_assign(CTTensor *x, const CTTensor *value);
bool ct_add_scalar_in_place(CTTensor *x, double value);
bool ct_lerp_in_place(CTTensor *x, const CTTensor *end, double weight);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
