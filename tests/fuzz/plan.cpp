// The text of an experiment, to a plan.
#include "training/plan.h"

#include <string_view>

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  return fuzz::expect_read_or_refusal(
      [&] { read_plan(Config::parse(std::string_view(reinterpret_cast<const char*>(data), size))); });
}
