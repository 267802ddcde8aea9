#include "models/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "config/nearest.h"
#include "models/layer_kinds.h"
#include "models/room.h"
#include "modules/activations.h"
#include "modules/dropout.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/normalisation/batch_norm.h"
#include "modules/normalisation/layer_norm.h"
#include "modules/sequential/join.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// No machine holds as many, and what is added to an extent does not overflow.
constexpr Index kMostNumbers = Index{1} << 53;

Layer dense(LayerWords& words, const Shape& in) {
  const Index units = words.count("the number of units"), inputs = element_count(in),
              weights = product(words, {inputs, units});
  const bool has_bias = !words.has("no_bias");
  return {.out = {units},
          .parameters = has_bias ? sum(words, weights, units) : weights,
          .multiply_adds = weights,
          .build = [=](const Initializer& initializer, Key key, Placement placement) {
            Linear linear(inputs, units, key,
                          {.bias = has_bias, .initializer = initializer, .placement = placement});
            return in.size() == 1 ? shared(std::move(linear))
                                  : shared(Sequential().add(Flatten()).add(std::move(linear)));
          }};
}

Layer batch_norm(LayerWords& words, const Shape& in) {
  return {.out = in,
          .parameters = product(words, {2, in.front()}),
          .build = [=](const Initializer&, Key, Placement placement) {
            return shared(BatchNorm(in.front(), {.placement = placement}));
          }};
}

Layer layer_norm(LayerWords& words, const Shape& in) {
  return {.out = in,
          .parameters = product(words, {2, element_count(in)}),
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

struct Row {
  std::string name;
  ReadLayer* read;
};

/// All but the activations, tap and join.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {{"batch_norm", batch_norm},
                                       {"conv", read_conv},
                                       {"conv1d", read_conv1d},
                                       {"conv_transpose", read_conv_transpose},
                                       {"conv_transpose1d", read_conv_transpose1d},
                                       {"dense", dense},
                                       {"dropout", dropout},
                                       {"flatten", flatten_layer},
                                       {"layer_norm", layer_norm},
                                       {"local", read_local},
                                       {"local_contrast", read_local_contrast},
                                       {"pool", read_pool}};
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

/// What taps keep for the next join.
class Taps {
 public:
  Layer tap(const LayerWords& words, const Shape& in) {
    kept_.emplace_back(words, in);
    return {.out = in, .build = [](const Initializer&, Key, Placement) { return shared(Tap()); }};
  }
  Layer join(const LayerWords& words, const Shape& in) {
    if (kept_.empty()) words.fail("a tap below it, whose features it joins, received none");
    Index features = element_count(in);
    for (const auto& [tap, shape] : std::exchange(kept_, {}))
      features = sum(words, features, element_count(shape));
    return {.out = {features}, .build = [](const Initializer&, Key, Placement) { return shared(Join()); }};
  }
  void finish() const {
    if (!kept_.empty()) kept_.front().first.fail("a join above it, received none");
  }

 private:
  std::vector<std::pair<LayerWords, Shape>> kept_;
};

Layer read_layer(LayerWords words, const Shape& in, Taps& taps) {
  const auto whole_text = [&](Layer layer) {
    words.finish();
    Index numbers = 1;
    for (const Index extent : layer.out) numbers = product(words, {numbers, extent});
    if (numbers > kMostNumbers)
      words.fail(fmt::format("at most 2^53 numbers of a sample, received {}; make it smaller", numbers));
    return layer;
  };
  if (words.name() == "tap") return whole_text(taps.tap(words, in));
  if (words.name() == "join") return whole_text(taps.join(words, in));
  if (const ActivationRow* row = find_activation(words.name()))
    return whole_text(activation(*row, words, in));
  for (const Row& row : rows()) {
    if (row.name == words.name()) return whole_text(row.read(words, in));
  }
  std::vector<std::string> known{"tap", "join"};
  for (const Row& row : rows()) known.push_back(row.name);
  for (const ActivationRow& row : activations()) known.push_back(row.name);
  words.fail(fmt::format("a layer or an activation, received '{}'; {}", words.name(),
                         suggestion(words.name(), known)));
}

}  // namespace

std::vector<Layer> read_layers(const std::vector<std::string>& texts, const Shape& sample) {
  std::vector<Layer> layers;
  const std::string first = texts.empty() ? "" : LayerWords(texts.front(), 1).name();
  const bool goes_along = first == "conv1d" || first == "conv_transpose1d";
  if (sample.size() == 2 && !goes_along) layers.push_back(one_map(sample));
  Taps taps;
  const std::size_t below = layers.size();
  std::optional<std::size_t> weighted;  // the last layer with products
  for (const std::string& text : texts) {
    const LayerWords words(text, layers.size() + 1 - below);
    layers.push_back(read_layer(words, layers.empty() ? sample : layers.back().out, taps));
    Layer& layer = layers.back();
    layer.text = text;
    if (layer.multiply_adds > 0) weighted = layers.size() - 1;
    if (weighted && is_kin_of_relu(words.name()))
      layers[*weighted].initializer.kind = Initializer::Kind::HeNormal;
  }
  taps.finish();
  return layers;
}

void require_plain_layers(const char* who, const std::vector<std::string>& texts) {
  if (texts.empty())
    throw Error(fmt::format("[{}] expected at least one layer in model.layers, received none; add one", who));
  for (const std::string& text : texts) {
    const std::string name = text.substr(0, text.find(' '));
    const bool mixes = name == "batch_norm", draws = name == "dropout" || name == "rrelu";
    if (!mixes && !draws) continue;
    throw Error(
        fmt::format("[{}] expected layers by which an energy is that of one sample alone, received '{}', "
                    "which {}; take it "
                    "out of model.layers",
                    who, name, mixes ? "mixes those of a batch" : "draws anew every time"));
  }
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
