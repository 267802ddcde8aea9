#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "support/device.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin::test {
namespace {
Device& chosen() {
  static Device device = Device::Cpu;
  return device;
}
}  // namespace

Device device() { return chosen(); }
}  // namespace basin::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    for (int i = 1; i < argc; ++i) {
      if (std::strcmp(argv[i], "--device") != 0) continue;
      if (i + 1 == argc)
        throw basin::Error(
            "[tests] expected cpu, guard, cuda or cuda_emulated after --device, received nothing");
      basin::test::chosen() = basin::parse_device(argv[i + 1]);
    }
  } catch (const basin::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  try {
    basin::backend(basin::test::device());
  } catch (const basin::Error& error) {
    // 77 is the exit code by which CTest knows a skipped test.
    std::fprintf(stderr, "skipped: %s\n", error.what());
    return 77;
  }
  return RUN_ALL_TESTS();
}
