#include <ATen/ops/empty.h>
#include "../Support.h"
#include "Tensors.h"

CTTensor *ct_largest_channel(const CTTensor *x) {
  return tensor([&] {
    if (!x->value.is_cpu()) return x->value.detach().argmax(1).to(at::kByte);
    auto input = x->value.detach().contiguous(channels_last);
    int64_t channels = input.size(1), pixels = input.numel() / channels;
    TORCH_CHECK(channels <= 256, channels, " channels are more than 8 bits can tell apart");
    auto result = at::empty({input.size(0), input.size(2), input.size(3)}, input.options().dtype(at::kByte));
    auto target = mutable_values<uint8_t>(result);
    auto find = [&](auto type) {
      using T = decltype(type);
      Tasks(pixels, channels).run([&](int64_t first, int64_t count, int64_t) {
        const T *pixel = values<T>(input) + first * channels;
        for (int64_t i = first; i < first + count; i++, pixel += channels) {
          int64_t largest = 0;
          for (int64_t c = 1; c < channels; c++) largest = pixel[c] > pixel[largest] ? c : largest;
          target[i] = static_cast<uint8_t>(largest);
        }
      });
    };
    if (input.scalar_type() == at::kDouble) {
      find(double());
    } else {
      input = input.to(at::kFloat);
      find(float());
    }
    return result;
  });
}
