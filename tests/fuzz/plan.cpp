// The text of an experiment, to a plan. Messages show its keys and values as they are; the program prints
// them on one line.
#include "training/experiment/plan.h"

#include <string_view>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  try {
    read_plan(Config::parse(std::string_view(reinterpret_cast<const char*>(data), size)));
  } catch (const Error&) {
  }
  return 0;
}
