#include "models/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/nearest.h"
#include "models/layer_words.h"
#include "models/room.h"
#include "modules/activations.h"
#include "modules/batch_norm.h"
#include "modules/conv2d.h"
#include "modules/dropout.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/layer_norm.h"
#include "modules/linear.h"
#include "modules/local_contrast.h"
#include "modules/locally_connected2d.h"
#include "modules/pool2d.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Extents = std::array<Index, 2>;
using ModulePointer = std::shared_ptr<const Module>;

template <class M>
ModulePointer shared(M module) {
  return std::make_shared<const M>(std::move(module));
}

Index product(const LayerWords& words, std::initializer_list<Index> factors) {
  const std::optional<Index> count = checked_product(factors);
  if (!count) words.fail("a layer whose numbers can be counted, received more than 2^63; make it smaller");
  return *count;
}

/// Samples that are maps, [C, H, W].
const Shape& maps(const LayerWords& words, const Shape& in) {
  if (in.size() != 3) {
    words.fail(
        fmt::format("samples that are maps, [channels, height, width], received {}; put it before what "
                    "flattens them",
                    to_string(in)));
  }
  return in;
}

/// What filters or windows are laid over [C, H, W], and how.
struct Sweep {
  Shape in;
  Extents window, stride, padding, dilation;
  Extents out;  // places

  Sweep(LayerWords& words, const Shape& sample, Extents size, Extents stride_by_default, bool dilates)
      : in(maps(words, sample)),
        window(size),
        stride(words.named_extents("stride", 1, stride_by_default)),
        padding(words.named_extents("pad", 0, {0, 0})),
        dilation(dilates ? words.named_extents("dilation", 1, {1, 1}) : Extents{1, 1}) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Index reach = product(words, {dilation[i], window[i] - 1}) + 1, room = in[i + 1] + 2 * padding[i];
      if (reach > room) {
        words.fail(fmt::format("a window that fits into maps of {}x{} with padding {}x{}, received {}x{}",
                               in[1], in[2], padding[0], padding[1], window[0], window[1]));
      }
      out[i] = (room - reach) / stride[i] + 1;
    }
  }
  Index places() const { return out[0] * out[1]; }
};

Layer dense(LayerWords& words, const Shape& in) {
  const Index units = words.count("the number of units"), inputs = element_count(in),
              weights = product(words, {inputs, units});
  return {.out = {units},
          .parameters = weights + units,
          .multiply_adds = weights,
          .build = [=](const Initializer& initializer, Key key, Placement placement) {
            Linear linear(inputs, units, key, {.initializer = initializer, .placement = placement});
            return in.size() == 1 ? shared(std::move(linear))
                                  : shared(Sequential().add(Flatten()).add(std::move(linear)));
          }};
}

/// What divides both numbers of channels.
Index groups_of(LayerWords& words, Index in, Index out) {
  const Index groups = words.named_count("groups", 1, 1);
  if (in % groups != 0 || out % groups != 0)
    words.fail(fmt::format("groups that divide {} maps below and {} above, received {}", in, out, groups));
  return groups;
}

Layer conv(LayerWords& words, const Shape& in) {
  const Index count = words.count("the number of maps");
  const Sweep sweep(words, in, words.extents("the size of the filters"), {1, 1}, true);
  const Index groups = groups_of(words, sweep.in[0], count);
  Connections connections;
  if (words.has("connections")) {
    words.choice("a table of connections", {"lenet5"});
    connections = lenet5_connections();
    if (sweep.in[0] != 6 || count != 16 || groups != 1)
      words.fail("16 maps above 6 for the connections lenet5");
  }
  Index seen = product(words, {count, sweep.in[0] / groups});
  if (!connections.empty()) {
    seen = 0;
    for (const auto& row : connections) seen += static_cast<Index>(row.size());
  }
  const Index weights = product(words, {seen, sweep.window[0], sweep.window[1]});
  return {.out = {count, sweep.out[0], sweep.out[1]},
          .parameters = weights + count,
          .multiply_adds = product(words, {weights, sweep.places()}),
          .build = [=](const Initializer& initializer, Key key, Placement placement) {
            return shared(Conv2d(sweep.in[0], count, sweep.window, key,
                                 {.padding = sweep.padding,
                                  .stride = sweep.stride,
                                  .dilation = sweep.dilation,
                                  .groups = groups,
                                  .connections = connections,
                                  .initializer = initializer,
                                  .placement = placement}));
          }};
}

Layer conv_transpose(LayerWords& words, const Shape& sample) {
  const Shape in = maps(words, sample);
  const Index count = words.count("the number of maps");
  const Extents window = words.extents("the size of the filters"),
                stride = words.named_extents("stride", 1, {1, 1}),
                padding = words.named_extents("pad", 0, {0, 0}),
                dilation = words.named_extents("dilation", 1, {1, 1});
  const Index groups = groups_of(words, in[0], count);
  Shape out{count, 0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    out[i + 1] = product(words, {stride[i], in[i + 1] - 1}) + product(words, {dilation[i], window[i] - 1}) +
                 1 - 2 * padding[i];
    if (out[i + 1] < 1) words.fail(fmt::format("padding that leaves a pixel, received {}", padding[i]));
  }
  const Index weights = product(words, {in[0], count / groups, window[0], window[1]});
  return {.out = out,
          .parameters = weights + count,
          .multiply_adds = product(words, {weights, in[1], in[2]}),
          .build = [=](const Initializer& initializer, Key key, Placement placement) {
            return shared(ConvTranspose2d(in[0], count, window, key,
                                          {.padding = padding,
                                           .stride = stride,
                                           .dilation = dilation,
                                           .groups = groups,
                                           .initializer = initializer,
                                           .placement = placement}));
          }};
}

Layer local(LayerWords& words, const Shape& in) {
  const Index count = words.count("the number of maps");
  const Sweep sweep(words, in, words.extents("the size of the filters"), {1, 1}, false);
  const Index weights =
      product(words, {sweep.places(), count, sweep.in[0], sweep.window[0], sweep.window[1]});
  return {
      .out = {count, sweep.out[0], sweep.out[1]},
      .parameters = weights + count * sweep.places(),
      .multiply_adds = weights,
      .build = [=](const Initializer& initializer, Key key, Placement placement) {
        return shared(LocallyConnected2d({sweep.in[0], sweep.in[1], sweep.in[2]}, count, sweep.window, key,
                                         {.stride = sweep.stride,
                                          .padding = sweep.padding,
                                          .initializer = initializer,
                                          .placement = placement}));
      }};
}

Layer pool(LayerWords& words, const Shape& in) {
  using enum Pool2d::Kind;
  const std::string name = words.choice("a kind of pool", {"max", "average", "lp", "log_sum_exp"});
  const Pool2d::Kind kind = name == "max" ? Max : name == "average" ? Average : name == "lp" ? Lp : LogSumExp;
  const Extents size = words.extents("the size of the windows");
  Pool2dOptions options;
  if (kind == Lp) options.p = words.named_number("p", 1.0, options.p);
  if (kind == LogSumExp) options.beta = words.named_number("beta", 1e-6, options.beta);
  const Sweep sweep(words, in, size, size, false);
  for (std::size_t i = 0; i < 2; ++i) {
    if (sweep.padding[i] >= size[i])
      words.fail(fmt::format("padding below the size of the windows, received {}", sweep.padding[i]));
  }
  options.stride = sweep.stride;
  options.padding = sweep.padding;
  return {.out = {sweep.in[0], sweep.out[0], sweep.out[1]},
          .build = [=](const Initializer&, Key, Placement) { return shared(Pool2d(kind, size, options)); }};
}

Layer local_contrast(LayerWords& words, const Shape& in) {
  const Index size = words.has_more() ? words.count("the size of the window") : LocalContrastOptions{}.size;
  if (size % 2 == 0) words.fail(fmt::format("an odd size, received {}", size));
  return {.out = maps(words, in),
          .build = [=](const Initializer&, Key, Placement) { return shared(LocalContrast({.size = size})); }};
}

Layer batch_norm(LayerWords& /*nothing to say*/, const Shape& in) {
  return {
      .out = in, .parameters = 2 * in.front(), .build = [=](const Initializer&, Key, Placement placement) {
        return shared(BatchNorm(in.front(), {.placement = placement}));
      }};
}

Layer layer_norm(LayerWords& /*nothing to say*/, const Shape& in) {
  return {.out = in,
          .parameters = 2 * element_count(in),
          .build = [=](const Initializer&, Key, Placement placement) {
            return shared(LayerNorm(in, {.placement = placement}));
          }};
}

Layer dropout(LayerWords& words, const Shape& in) {
  const double rate = words.number("the share that is dropped", 0.0, 0.999);
  return {.out = in, .build = [=](const Initializer&, Key, Placement) { return shared(Dropout(rate)); }};
}

Layer flatten_layer(LayerWords& /*nothing to say*/, const Shape& in) {
  return {.out = {element_count(in)},
          .build = [](const Initializer&, Key, Placement) { return shared(Flatten()); }};
}

using ReadLayer = Layer(LayerWords& words, const Shape& in);

struct Row {
  std::string name;
  ReadLayer* read;
};

/// All but the activations.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {{"batch_norm", batch_norm},
                                       {"conv", conv},
                                       {"conv_transpose", conv_transpose},
                                       {"dense", dense},
                                       {"dropout", dropout},
                                       {"flatten", flatten_layer},
                                       {"layer_norm", layer_norm},
                                       {"local", local},
                                       {"local_contrast", local_contrast},
                                       {"pool", pool}};
  return all;
}

/// The layer of an activation; maxout leaves fewer features.
Layer activation(const ActivationRow& row, LayerWords& words, const Shape& in) {
  using enum Activation::Kind;
  std::vector<double> arguments;
  for (const auto& [name, fallback, least, most, is_whole] : row.arguments) {
    const bool is_given = words.has_more() || !fallback;
    arguments.push_back(!is_given  ? *fallback
                        : is_whole ? static_cast<double>(words.count(name.c_str(), static_cast<Index>(least)))
                                   : words.number(name.c_str(), least, most));
  }
  const auto whole = [&](std::size_t i) { return static_cast<Index>(arguments.at(i)); };
  const Index features = in.front();
  const auto require_groups = [&](Index group) {
    if (features % group != 0)
      words.fail(fmt::format("features in groups of {}, received {}", group, features));
  };
  Layer layer{.out = in, .build = [kind = row.kind, arguments](const Initializer&, Key, Placement placement) {
                return shared(Activation(kind, arguments, placement));
              }};
  if (row.kind == Prelu || row.kind == LearnedShrink) {
    layer.parameters = whole(1);
    if (whole(1) != 1 && whole(1) != features)
      words.fail(fmt::format("as many features as below, {}, or 1, received {}", features, whole(1)));
  }
  if (row.kind == Rrelu && arguments[0] > arguments[1])
    words.fail(fmt::format("low <= high, received {} and {}", arguments[0], arguments[1]));
  if (row.kind == Maxout) {
    require_groups(whole(0));
    layer.out.front() /= whole(0);
  }
  if (row.kind == WinnerTakeAll) {
    if (whole(1) > 0) require_groups(whole(1));
    const Index most = whole(1) > 0 ? whole(1) : element_count(in);
    if (whole(0) > most) words.fail(fmt::format("k of at most {}, received {}", most, whole(0)));
  }
  return layer;
}

/// Whether numbers below 0 are cut off or nearly so, which halves the variance.
bool is_kin_of_relu(const std::string& name) {
  static const std::vector<std::string> kin = {"relu",  "brelu", "leaky", "prelu",
                                               "rrelu", "elu",   "silu",  "gelu"};
  return std::find(kin.begin(), kin.end(), name) != kin.end();
}

/// [H, W] as [1, H, W].
Layer one_map(const Shape& sample) {
  return {
      .text = "one map", .out = {1, sample[0], sample[1]}, .build = [=](const Initializer&, Key, Placement) {
        return shared(Function([=](const Value& x, const Context&) {
          return reshape(x, {x.dim(0), 1, sample[0], sample[1]});
        }));
      }};
}

Layer read_layer(LayerWords words, const Shape& in) {
  const auto whole_text = [&](Layer layer) {
    words.finish();
    return layer;
  };
  if (const ActivationRow* row = find_activation(words.name()))
    return whole_text(activation(*row, words, in));
  for (const Row& row : rows()) {
    if (row.name == words.name()) return whole_text(row.read(words, in));
  }
  std::vector<std::string> known;
  for (const Row& row : rows()) known.push_back(row.name);
  for (const ActivationRow& row : activations()) known.push_back(row.name);
  words.fail(fmt::format("a layer or an activation, received '{}'; {}", words.name(),
                         suggestion(words.name(), known)));
}

}  // namespace

std::vector<Layer> read_layers(const std::vector<std::string>& texts, const Shape& sample) {
  std::vector<Layer> layers;
  if (sample.size() == 2) layers.push_back(one_map(sample));
  const std::size_t below = layers.size();
  std::optional<std::size_t> weighted;  // the last layer with products
  for (const std::string& text : texts) {
    const LayerWords words(text, layers.size() + 1 - below);
    layers.push_back(read_layer(words, layers.empty() ? sample : layers.back().out));
    Layer& layer = layers.back();
    layer.text = text;
    if (layer.multiply_adds > 0) weighted = layers.size() - 1;
    if (weighted && is_kin_of_relu(words.name()))
      layers[*weighted].initializer.kind = Initializer::Kind::HeNormal;
  }
  return layers;
}

std::shared_ptr<const Sequential> build_layers(const std::vector<Layer>& layers, Key key, Placement placement,
                                               SequentialOptions options) {
  double numbers = 0.0;
  for (const Layer& layer : layers) {
    numbers += static_cast<double>(layer.parameters) + static_cast<double>(element_count(layer.out));
    require_room(fmt::format("[layers] '{}' and what is below it", layer.text), numbers, placement);
  }
  auto network = std::make_shared<Sequential>(options);
  for (std::size_t i = 0; i < layers.size(); ++i)
    network->add(layers[i].build(layers[i].initializer, key.fold(i), placement));
  return network;
}

}  // namespace basin
