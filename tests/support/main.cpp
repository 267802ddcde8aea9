#include <gtest/gtest.h>

#include <cstring>

#include "support/device.h"

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
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--device") == 0) {
      basin::test::chosen() = basin::parse_device(argv[i + 1]);
    }
  }
  return RUN_ALL_TESTS();
}
