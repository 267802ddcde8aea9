#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/cuda/library/cuda_build.h"
#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/cuda/library/cuda_loader.h"
#include "tensor/tensor.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

/// What the fake library says while this lives (tests/support/fake_cuda.cpp).
struct Told {
  explicit Told(const char* text) { setenv("BASIN_FAKE_CUDA", text, 1); }
  ~Told() { unsetenv("BASIN_FAKE_CUDA"); }
};

const CudaLibrary& fake() { return load_cuda_library({BASIN_FAKE_CUDA}, kCudaBuild); }

/// The file that a function of the C library is in: a library that is none of ours.
std::string library_of_maths() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(static_cast<double (*)(double)>(&std::lgamma)), &info);
  return std::filesystem::canonical(info.dli_fname).string();
}

TEST(CudaLibrary, EveryFailureHasItsWords) {
  const CudaFailure failure{.call = "cudaMalloc",
                            .reason = "in its own words",
                            .driver = 12040,
                            .runtime = 13000,
                            .index = 3,
                            .devices = 2,
                            .device = "NVIDIA H200",
                            .major = 9,
                            .minor = 0,
                            .built_for = "8.0, 8.6",
                            .asked = std::size_t{3} << 30,
                            .free = std::size_t{100} << 20,
                            .total = std::size_t{140} << 30};
  const std::map<int, std::vector<std::string>> words = {
      {2, {"room for 3.0 GiB", "100.0 MiB of 140.0 GiB are free", "NVIDIA H200"}},
      {34, {"stub"}},
      {35, {"CUDA 13.0 or newer", "one for CUDA 12.4"}},
      {46, {"busy"}},
      {100, {"finds none", "--device cpu"}},
      {101, {"received 3", "cuda:0 to cuda:1"}},
      {209, {"kernels for (8.0, 8.6)", "compute capability 9.0", "CMAKE_CUDA_ARCHITECTURES=90"}},
      {214, {"cannot correct", "nvidia-smi"}},
      {222, {"CMAKE_CUDA_ARCHITECTURES=90"}},
      {700, {"mistake in a kernel", "in its own words", "nothing more"}},
      {702, {"took too long"}},
      {719, {"is lost", "in its own words"}},
      {802, {"fabricmanager"}},
      {803, {"restart"}},
      {999, {"is lost", "device 3 (NVIDIA H200, compute capability 9.0)"}},
      {1, {"cudaMalloc failed", "code 1: in its own words"}}};
  for (const auto& [code, parts] : words) {
    CudaFailure now = failure;
    now.code = code;
    const std::string message = cuda_message(now);
    EXPECT_TRUE(message.starts_with("[cuda] ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    for (const std::string& part : parts) EXPECT_TRUE(contains(message, part)) << code << ": " << message;
  }
  EXPECT_TRUE(contains(cuda_message({.code = 35, .driver = 0, .runtime = 13000}), "found none"));
  EXPECT_TRUE(
      contains(cuda_message({.code = 101, .index = 1, .devices = 1}), "there is one, --device cuda:0"));
}

TEST(CudaLibrary, LostIsWhatCannotGoOn) {
  for (const int code : {46, 214, 220, 700, 719, 721, 999}) EXPECT_TRUE(is_device_lost(code)) << code;
  for (const int code : {0, 1, 2, 35, 100, 101, 209}) EXPECT_FALSE(is_device_lost(code)) << code;
}

TEST(CudaLibrary, WhatIsNoLibraryOfThisBuildIsRefused) {
  const auto load = [](const std::string& path) {
    return error_of([&] { load_cuda_library({path}, kCudaBuild); });
  };
  EXPECT_TRUE(contains(load("/nowhere/libbasin_cuda.so"), "found none in /nowhere/libbasin_cuda.so"));
  EXPECT_TRUE(contains(load(library_of_maths()), "no function basin_cuda_library"));
  const std::string text = testing::TempDir() + "no_library.so";
  std::ofstream(text) << "not a library";
  EXPECT_TRUE(contains(load(text), "cannot be loaded"));
  std::filesystem::remove(text);
  EXPECT_TRUE(contains(
      error_of([] { load_cuda_library({BASIN_FAKE_CUDA}, "basin 9, headers 0"); }),
      "expected the CUDA kernels of this build (basin 9, headers 0), received those of another (basin "));
  EXPECT_STREQ(fake().build, kCudaBuild);
}

TEST(CudaLibrary, IsLookedForBesideTheProgramUnlessItIsNamed) {
  const char* named = std::getenv("BASIN_CUDA_LIBRARY");
  const std::string before = named == nullptr ? "" : named;
  unsetenv("BASIN_CUDA_LIBRARY");
  const std::vector<std::string> paths = cuda_library_paths();
  ASSERT_GE(paths.size(), 2u);
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(paths[0], folder / "libbasin_cuda.so");
  EXPECT_EQ(paths[1], folder.parent_path() / "lib/libbasin_cuda.so");
  setenv("BASIN_CUDA_LIBRARY", "/a/b.so", 1);
  EXPECT_EQ(cuda_library_paths(), std::vector<std::string>{"/a/b.so"});
  unsetenv("BASIN_CUDA_LIBRARY");
  if (!before.empty()) setenv("BASIN_CUDA_LIBRARY", before.c_str(), 1);
}

TEST(CudaLibrary, WhatAMachineLacksIsSaid) {
  const std::map<std::string, std::string> words = {{"error=35 driver=0", "found none on this machine"},
                                                    {"error=35 driver=12040", "found one for CUDA 12.4"},
                                                    {"error=100", "the driver finds none"},
                                                    {"devices=0", "the driver finds none"},
                                                    {"devices=1", "received 1; there is one"},
                                                    {"broken=46", "Abacus 9000"},
                                                    {"error=803", "restart"}};
  for (const auto& [told, part] : words) {
    const Told now(told.c_str());
    const std::string message = error_of([] { require_cuda_device(fake(), 1); });
    EXPECT_TRUE(contains(message, part)) << told << ": " << message;
  }
  require_cuda_device(fake(), 1);
  EXPECT_TRUE(contains(error_of([] { require_cuda_device(fake(), -1); }), "received -1"));
}

TEST(CudaLibrary, TensorsLiveOnTheDeviceThatItOpens) {
  if (test::device() == Device::Cuda) GTEST_SKIP() << "the library of a real device is in use";
  setenv("BASIN_CUDA_LIBRARY", BASIN_FAKE_CUDA, 1);
  choose_cuda({.index = 1, .tf32 = true});
  EXPECT_EQ(cuda_memory().peak, 0u);
  const Tensor x = Tensor::from(std::vector<double>{1.0, 2.0, 3.0}, {3}, {Dtype::F32, Device::Cuda});
  EXPECT_EQ(x.to(Device::Cpu).values(), (std::vector<double>{1.0, 2.0, 3.0}));
  EXPECT_EQ(cuda_device_name(), "Abacus 9000, compute capability 9.0, 16.0 GiB");
  EXPECT_GT(cuda_memory().peak, 0u);
  EXPECT_TRUE(contains(error_of([] { choose_cuda({.index = 0}); }), "device 0 where device 1 is in use"));
  choose_cuda({.index = 1, .tf32 = true});
  unsetenv("BASIN_CUDA_LIBRARY");
}

}  // namespace
}  // namespace basin
