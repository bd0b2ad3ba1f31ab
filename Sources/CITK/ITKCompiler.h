// Comes before any ITK header.
#pragma once

#if !__has_include(<itkImage.h>)
#error "ITK's headers were not found under .deps/itk/include; run `make deps` in the package's folder first."
#endif

// Debian's ITK accepts only GCC, with which it was compiled. This shows it GCC 12 during its check.
#if defined(__linux__) && defined(__clang__)
#pragma push_macro("__clang__")
#pragma push_macro("__GNUC__")
#undef __clang__
#undef __GNUC__
#define __GNUC__ 12
#include <itk_compiler_detection.h>
#pragma pop_macro("__GNUC__")
#pragma pop_macro("__clang__")
#endif
