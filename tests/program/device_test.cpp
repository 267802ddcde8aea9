#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "support/contains.h"

namespace basin::test {
namespace {

/// With the library of tests/support/fake_cuda.cpp, whose kernels are the CPU's, and what it is to say.
ProcessOptions fake(const std::string& told = "") {
  return {.environment = {"BASIN_CUDA_LIBRARY=" BASIN_FAKE_CUDA, "BASIN_FAKE_CUDA=" + told}};
}

class Devices : public Program {
 protected:
  Devices() { write("small.toml", small_experiment()); }
};

TEST_F(Devices, WhatAMachineLacksForAGpuIsSaidBeforeAnythingIsDone) {
  expect_refusal({"run", "small.toml", "--device", "cuda"}, "found none in /nowhere/none.so",
                 {.environment = {"BASIN_CUDA_LIBRARY=/nowhere/none.so"}});
  expect_refusal({"run", "small.toml", "--device", "cuda"}, "found none on this machine",
                 fake("error=35 driver=0"));
  expect_refusal({"run", "small.toml", "--device", "cuda"}, "found one for CUDA 12.4",
                 fake("error=35 driver=12040"));
  expect_refusal({"run", "small.toml", "--device", "cuda:2"},
                 "received 2; there are 2, --device cuda:0 to cuda:1", fake());
  expect_refusal({"run", "small.toml", "--device", "cuda"}, "another (basin 0.0.9", fake("other=1"));
  expect_refusal({"run", "small.toml", "--device", "cuda"}, "out of memory: expected room for",
                 fake("room=10"));
  for (const char* word : {"cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cpu:1"})
    expect_refusal({"run", "small.toml", "--device", word}, "expected cuda:N", fake());
  expect_refusal({"run", "small.toml", "--products", "bf16"}, "expected --device cuda");
  expect_refusal({"run", "small.toml", "--device", "cuda", "--products", "f8"}, "expected f32, tf32 or bf16",
                 fake());
}

TEST_F(Devices, ARunOnAGpuSaysWhichAndHowItMultiplied) {
  const Outcome run =
      basin({"run", "small.toml", "--smoke", "--out", "out.h5", "--device", "cuda:1", "--products", "tf32"},
            fake());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "on the GPU 2 MB")) << run.out;
  const Store store = Store::load(path("out.h5").string());
  EXPECT_EQ(store.text("/environment/device"), "cuda");
  EXPECT_EQ(store.text("/environment/accelerator"), "Abacus 9000, compute capability 9.0, 16.0 GiB");
  EXPECT_EQ(store.text("/environment/products"), "tf32");
  EXPECT_EQ(store.number("/time/peak_device_memory"), 2 << 20);
  std::string libraries;
  for (const std::string& library : store.texts("/environment/libraries")) libraries += library + "; ";
  EXPECT_TRUE(contains(libraries, "CUDA driver for CUDA 13.0; CUDA runtime 13.0; ")) << libraries;
  EXPECT_TRUE(contains(basin({"info", "out.h5"}).out,
                       "cuda (Abacus 9000, compute capability 9.0, 16.0 GiB, tf32 products)"));
  for (const char* command : {"eval", "sample", "encode"}) {
    std::vector<std::string> words = {command, "out.h5", "--device", "cuda"};
    if (command != std::string("eval")) words.insert(words.end(), {"--out", "made.h5"});
    EXPECT_EQ(basin(words, fake()).code, 0) << command;
  }
}

TEST_F(Devices, AGpuThatIsLostLeavesTheLastCheckpointAndTheRunGoesOnElsewhere) {
  const std::string setting = "results.checkpoint_seconds=0.001";
  const Outcome whole = basin({"run", "small.toml", "--quiet", "--set", setting, "--out", "whole.h5"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  const Outcome lost =
      basin({"run", "small.toml", "--quiet", "--set", setting, "--out", "part.h5", "--device", "cuda"},
            fake("lost=3000"));
  EXPECT_EQ(lost.code, 1);
  EXPECT_TRUE(contains(lost.err, "is lost: unspecified launch failure")) << lost.err;
  EXPECT_TRUE(contains(lost.err, "part.h5")) << lost.err;
  const Outcome rest =
      basin({"run", "small.toml", "--resume", "--set", setting, "--out", "part.h5", "--device", "cpu"});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_TRUE(contains(rest.err, "has steps on cuda (Abacus 9000")) << rest.err;
  EXPECT_TRUE(contains(rest.err, "and goes on on cpu")) << rest.err;
  const Store store = Store::load(path("part.h5").string());
  EXPECT_FALSE(store.has("/environment/accelerator"));
  EXPECT_TRUE(contains(store.texts("/environment/earlier").at(0), "device cuda (Abacus 9000"));
  // The fake's kernels are the CPU's: nothing else was lost or added on the way.
  const Store expected = Store::load(path("whole.h5").string());
  EXPECT_EQ(store.group("/stages/main/parameters").tensor("/v.h.weight").values(),
            expected.group("/stages/main/parameters").tensor("/v.h.weight").values());
}

TEST_F(Devices, InfoListsWhatThereIs) {
  const Outcome there = basin({"info"}, fake());
  EXPECT_EQ(there.code, 0);
  for (const char* part : {"CUDA driver for CUDA 13.0", "cuBLAS 0.0.0", "cuda:1 Abacus 9000", "OpenBLAS"})
    EXPECT_TRUE(contains(there.out, part)) << there.out;
  const Outcome none = basin({"info"}, fake("error=35 driver=0"));
  EXPECT_EQ(none.code, 0);
  EXPECT_TRUE(contains(none.out, "found none on this machine")) << none.out;
  EXPECT_EQ(basin({"info", "--toml"}).code, 2);
}

}  // namespace
}  // namespace basin::test
