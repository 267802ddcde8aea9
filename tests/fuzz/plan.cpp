// The text of an experiment, to a plan, and its lists of layers, to networks where those are small. Messages
// show its keys and values as they are; the program prints them on one line.
#include "training/experiment/plan.h"

#include <string_view>

#include "autograd/ops.h"
#include "fuzz.h"
#include "models/layers.h"

namespace {

using namespace basin;

/// Builds what a list says and runs it, where that takes little: every layer makes what was said of it.
void read_network(const Config& model) {
  if (!model.has("layers")) return;
  const Shape sample{28, 28};
  const std::vector<Layer> layers = read_layers(model.texts("layers"), sample);
  constexpr double kMost = 1e6;  // numbers and products
  double size = 0.0;
  for (const Layer& layer : layers) {
    size += static_cast<double>(layer.parameters) + static_cast<double>(layer.multiply_adds) +
            static_cast<double>(element_count(layer.out));
  }
  if (size > kMost) return;
  const auto network = build_layers(layers, Key(1), {Dtype::F32, Device::Cpu});
  const std::vector<Value> made = network->outputs(Tensor::zeros({1, sample[0], sample[1]}));
  for (std::size_t i = 0; i < made.size(); ++i) {
    Shape expected = layers[i].out;
    expected.insert(expected.begin(), 1);
    if (made[i].shape() != expected) std::abort();
  }
}

template <class Read>
void try_to(Read read) {
  try {
    read();
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_to([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_to([&] { read_plan(Config::parse(text)); });
    const Config config = Config::parse(text);
    try_to([&] { read_network(config.table("model")); });
    for (const Config& stage : config.tables("stages")) try_to([&] { read_network(stage.table("model")); });
  });
  return 0;
}
