#include "benchmarks/measure.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "tensor/error.h"

namespace basin::benchmarks {
namespace {

double seconds(const std::function<void()>& job) {
  const auto begin = std::chrono::steady_clock::now();
  job();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

/// Seconds of one call of `job`, from calls that fill min_time.
double timed(const std::function<void()>& job, const Arguments& arguments) {
  const double once = std::max(seconds(job), 1e-7);
  const int calls = std::max(1, static_cast<int>(arguments.min_time / once + 0.999));
  return seconds([&] {
           for (int i = 0; i < calls; ++i) job();
         }) /
         calls;
}

}  // namespace

bool Arguments::has_data(const char* name) const {
  if (data.empty())
    fmt::print(stderr, "{} skipped: it needs the peers' data; run it by versus.sh, or give --data\n", name);
  return !data.empty();
}

Tensor load(const Arguments& arguments, const std::string& file, const Shape& shape) {
  const Tensor tensor(shape);
  const auto bytes = static_cast<std::streamsize>(tensor.bytes());
  std::ifstream stream(arguments.data + "/" + file, std::ios::binary);
  if (!stream.read(static_cast<char*>(tensor.data()), bytes)) {
    throw Error(
        fmt::format("[basin_cases] expected {} bytes in {}/{}, received fewer; let versus.py write it", bytes,
                    arguments.data, file));
  }
  return tensor;
}

void measure(const std::string& name, const char* unit, double units, const std::function<void()>& job,
             const std::function<void()>& limit, const Arguments& arguments) {
  job();
  limit();
  std::vector<double> jobs, limits;
  for (int i = 0; i < arguments.repeats; ++i) {
    jobs.push_back(timed(job, arguments));
    limits.push_back(timed(limit, arguments));
  }
  const auto value = [&](double time) { return units > 0.0 ? units / time : time; };
  const double ours = value(median(jobs)), most = value(median(limits));
  if (arguments.json) {
    fmt::print("{{\"case\": \"{}\", \"value\": {:.6g}, \"unit\": \"{}\", \"limit\": {:.6g}}}\n", name, ours,
               unit, most);
  } else {
    fmt::print("{:36} {:>12.6g} {:10} {:5.1f} % of the limit {:.6g}\n", name, ours, unit,
               100.0 * median(limits) / median(jobs), most);
  }
  std::fflush(stdout);
}

}  // namespace basin::benchmarks
