#include "Library.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#ifdef __linux__
#include <link.h>
#endif
#include <torch/headeronly/version.h>
#include <unistd.h>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include "../Support.h"

namespace {

constexpr const char *name = "libtorch_cuda.so";

void *handle = nullptr;

bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

std::string folder_of(const std::string &path) { return path.substr(0, path.rfind('/') + 1); }

/// Resolves symbolic links.
std::string resolved(const std::string &path) {
  char *found = realpath(path.c_str(), nullptr);
  std::string result = found ? found : path;
  std::free(found);
  return result;
}

/// Returns the folders where the dynamic linker looks, LD_LIBRARY_PATH first. Its cache is not among them.
std::vector<std::string> linker_folders() {
  std::vector<std::string> folders;
#ifdef __linux__
  void *program = dlopen(nullptr, RTLD_LAZY);
  Dl_serinfo size{};
  if (program && dlinfo(program, RTLD_DI_SERINFOSIZE, &size) == 0) {
    std::vector<std::max_align_t> memory(size.dls_size / sizeof(std::max_align_t) + 1);
    auto *search = reinterpret_cast<Dl_serinfo *>(memory.data());
    if (dlinfo(program, RTLD_DI_SERINFOSIZE, search) == 0 && dlinfo(program, RTLD_DI_SERINFO, search) == 0)
      for (unsigned i = 0; i < search->dls_cnt; i++) folders.push_back(std::string(search->dls_serpath[i].dls_name) + "/");
  }
  if (program) dlclose(program);
#endif
  return folders;
}

std::string find() {
  auto beside = gpu::library_folder();
  if (exists(beside + name)) return beside + name;
  for (auto &folder : linker_folders())
    if (exists(folder + name)) return folder + name;
  TORCH_CHECK(false, name, " is neither in ", beside, " nor in a folder of LD_LIBRARY_PATH");
}

/// Returns the version that follows `mark` in a text, such as 2.11.0 of 2.11.0+cu130; empty without one.
std::string version_after(const std::string &mark, const std::string &text) {
  auto start = text.find(mark);
  if (start == std::string::npos) return "";
  start = text.find_first_of("0123456789", start + mark.size());
  if (start == std::string::npos) return "";
  auto end = text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz.", start);
  return text.substr(start, end == std::string::npos ? end : end - start);
}

/// Reads the version of the LibTorch that a library belongs to; empty where it is unknown.
///
/// The library itself holds no version. Files of its package do: a wheel's version.py, the headers that `make deps`
/// keeps, and the build-version of a downloaded archive.
std::string version_of(const std::string &path) {
  auto folder = folder_of(resolved(path));
  constexpr const char *sources[][2] = {
      {"../version.py", "__version__ ="},
      {"../include/torch/headeronly/version.h", "#define TORCH_VERSION "},
      {"../include/torch/csrc/api/include/torch/version.h", "#define TORCH_VERSION "},
      {"../build-version", ""},
  };
  for (auto &[file, mark] : sources) {
    std::ifstream stream(folder + file);
    std::stringstream text;
    text << stream.rdbuf();
    auto version = version_after(mark, text.str());
    if (!version.empty()) return version;
  }
  // Without these files, the libtorch_cpu of the same folder tells its own version.
  if (folder == folder_of(resolved(gpu::library_folder() + name))) return version_after("TORCH_VERSION=", at::show_config());
  return "";
}

}  // namespace

std::string gpu::library_folder() {
  Dl_info cpu;
  bool known = dladdr(reinterpret_cast<const void *>(&at::globalContext), &cpu) && cpu.dli_fname;
  return known ? folder_of(cpu.dli_fname) : "";
}

void gpu::check_version(const std::string &path) {
  auto found = version_of(path);
  TORCH_CHECK(!found.empty(), path, " is of an unknown version, since the folder above its own holds no version.py, include or "
              "build-version, and DualNorm was compiled with LibTorch ", TORCH_VERSION);
  TORCH_CHECK(found == TORCH_VERSION, path, " is of LibTorch ", found, ", and DualNorm was compiled with ", TORCH_VERSION);
}

void gpu::load_library() {
  static const std::string failure = [] {
    try {
      auto path = find();
      check_version(path);
      // Its constructors register the operations of GPUs. It finds NVIDIA's libraries by its own path.
      handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL);
      return std::string(handle ? "" : dlerror());
    } catch (const std::exception &error) {
      return LibTorch::message(error);
    }
  }();
  TORCH_CHECK(failure.empty(), failure);
}

void *gpu::library() {
  TORCH_CHECK(handle, "LibTorch's CUDA library is not loaded");
  return handle;
}

bool ct_check_cuda_version(const char *path) {
  return act([&] { gpu::check_version(path); });
}
