// Rates of whole tasks on a GPU, and what the device itself allows; gpu.sh runs it.
//   basin_gpu_cases --list                     the cases of each part
//   basin_gpu_cases --serve [--device NAME] [--products NAME] [--smoke]
//     for each line "CASE SECONDS" on stdin one line of JSON: a run of the case, or of "machine", of about so
//     many seconds
//   basin_gpu_cases --report FILE.jsonl...     their table in Markdown, with "not measured" where nothing was
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/gpu/gpu_case.h"
#include "benchmarks/gpu/gpu_report.h"
#include "results/environment.h"
#include "tensor/backend.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/error.h"

namespace basin::benchmarks {
namespace {

double seconds_of(const std::function<void()>& job, Placement placement) {
  const auto begin = std::chrono::steady_clock::now();
  job();
  wait_for(placement);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seconds of one call, from calls that fill so many seconds; two calls warm it first.
double timed(const std::function<void()>& job, double fill, Placement placement) {
  seconds_of(job, placement);
  const double once = std::max(seconds_of(job, placement), 1e-7);
  const int calls = std::max(1, static_cast<int>(fill / once + 0.999));
  return seconds_of(
             [&] {
               for (int i = 0; i < calls; ++i) job();
             },
             placement) /
         calls;
}

/// What the device reaches by itself: arithmetic in one large product, traffic in one long copy with a
/// factor.
struct Machine {
  double flops = 0.0, bytes = 0.0;  // a second
};

Machine machine_of(const Setting& setting, double fill) {
  const Index side = setting.size(8192, 64), numbers = setting.size(Index{1} << 28, 1024);
  Machine machine;
  const double product = timed(products(setting, {{side, side, side}}), fill, setting.placement);
  machine.flops = 2.0 * static_cast<double>(side * side * side) / product;
  const Tensor from = Tensor::full({numbers}, 0.5, setting.placement),
               to = Tensor::zeros({numbers}, setting.placement);
  const double copy = timed(
      [&] {
        backend(setting.placement.device)
            .axpby(setting.placement.dtype, 2.0, from.data(), 0.0, to.data(), numbers);
      },
      fill, setting.placement);
  machine.bytes = 2.0 * static_cast<double>(from.bytes()) / copy;
  return machine;
}

std::string measured(const Case& one, const Setting& setting, double fill, const Machine& machine) {
  const Job job = one.make(setting);
  const double seconds = timed(job.run, fill, setting.placement);
  const double alone = job.alone ? timed(job.alone, 0.5 * fill, setting.placement) : 0.0;
  const double least = std::max(job.flops / machine.flops, job.bytes / machine.bytes);
  return fmt::format(
      "{{\"part\": \"{}\", \"case\": \"{}\", \"who\": \"basin\", \"value\": {:.6g}, \"unit\": \"{}\", "
      "\"seconds\": {:.6g}, "
      "\"tflops\": {:.6g}, \"gbs\": {:.6g}, \"share\": {:.4g}, \"alone\": {:.6g}, \"smoke\": {}}}",
      one.part, one.name, job.units / seconds, one.unit, seconds, job.flops / seconds / 1e12,
      job.bytes / seconds / 1e9, least / seconds, alone > 0.0 ? job.units / alone : 0.0, setting.smoke);
}

/// Where products are not cuBLAS's, the roofline is not the device's: the page must say so.
std::string own_products() {
  const char* word = std::getenv("BASIN_CUDA_PRODUCTS");
  return word != nullptr && std::string(word) == "own"
             ? " WITHOUT cuBLAS, by a plain kernel that the roofline is measured by, too"
             : "";
}

int serve(const Setting& setting) {
  Machine machine;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string name;
    double fill = 1.0;
    words >> name >> fill;
    try {
      if (machine.flops == 0.0 || name == "machine") machine = machine_of(setting, fill);
      if (name == "machine") {
        fmt::print(
            "{{\"part\": \"machine\", \"case\": \"machine\", \"who\": \"basin\", \"device\": \"{}\", "
            "\"tflops\": {:.6g}, "
            "\"gbs\": {:.6g}, \"smoke\": {}}}\n",
            place_in_words(setting.placement.device) + own_products(), machine.flops / 1e12,
            machine.bytes / 1e9, setting.smoke);
      } else {
        const std::vector<Case> all = all_cases();
        const auto found = std::ranges::find(all, name, &Case::name);
        if (found == all.end())
          throw Error(fmt::format("[basin_gpu_cases] expected a case, received '{}'", name));
        fmt::print("{}\n", measured(*found, setting, fill, machine));
      }
    } catch (const std::exception& error) {
      std::string text = error.what();
      for (char& letter : text) letter = letter == '"' || letter == '\n' || letter == '\\' ? '\'' : letter;
      fmt::print("{{\"case\": \"{}\", \"who\": \"basin\", \"error\": \"{}\"}}\n", name, text);
    }
    std::fflush(stdout);
  }
  return 0;
}

int run(int argc, char** argv) {
  Setting setting;
  std::string device = "cuda", products = "f32", what;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--device" && i + 1 < argc) {
      device = argv[++i];
    } else if (word == "--products" && i + 1 < argc) {
      products = argv[++i];
    } else if (word == "--smoke") {
      setting.smoke = true;
    } else if (word.starts_with("--")) {
      what = word;
    } else {
      files.push_back(word);
    }
  }
  if (what == "--list") {
    for (const Case& one : all_cases()) fmt::print("{} {}\n", one.part, one.name);
    return 0;
  }
  if (what == "--report") {
    fmt::print("{}", report(files));
    return 0;
  }
  if (what != "--serve")
    throw Error("[basin_gpu_cases] expected --list, --serve or --report, received " +
                (what.empty() ? "none" : what));
  setting.placement = {Dtype::F32, parse_device(device)};
  choose_cuda({.tf32 = products == "tf32", .bf16 = products == "bf16"});
  backend(setting.placement.device);
  return serve(setting);
}

}  // namespace
}  // namespace basin::benchmarks

int main(int argc, char** argv) {
  try {
    return basin::benchmarks::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
