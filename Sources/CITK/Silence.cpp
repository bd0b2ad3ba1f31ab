#include "Support.h"

#include <iostream>
#include <mutex>

namespace {

std::mutex lock;
int living = 0;
std::streambuf *errors = nullptr;
std::streambuf *output = nullptr;

}  // namespace

namespace citk {

Silence::Silence() {
  const std::lock_guard<std::mutex> guard(lock);
  if (living++ > 0) return;
  errors = std::cerr.rdbuf(nullptr);
  output = std::cout.rdbuf(nullptr);
}

// Setting a buffer also clears the stream's state, which writing without one made bad.
Silence::~Silence() {
  const std::lock_guard<std::mutex> guard(lock);
  if (--living > 0) return;
  std::cerr.rdbuf(errors);
  std::cout.rdbuf(output);
}

}  // namespace citk
