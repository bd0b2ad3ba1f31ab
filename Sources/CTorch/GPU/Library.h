#pragma once

#include <string>

/// LibTorch's CUDA library. It is not linked: ct_load_cuda loads it where a GPU is used.
namespace gpu {

/// Returns the folder of the loaded libtorch_cpu, with a slash at its end; empty where it is unknown.
std::string library_folder();

/// Loads the CUDA library once. Throws where it is missing, of another version than TORCH_VERSION, or cannot be loaded.
void load_library();

/// Returns the handle of the loaded library. Throws before `load_library`.
void *library();

/// Throws unless the library of this path has the version TORCH_VERSION. Does not load it.
void check_version(const std::string &path);

}  // namespace gpu
