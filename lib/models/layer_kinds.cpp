#include "models/layer_kinds.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "modules/images/conv1d.h"
#include "modules/images/conv2d.h"
#include "modules/images/locally_connected2d.h"
#include "modules/images/pool2d.h"
#include "modules/normalisation/local_contrast.h"
#include "tensor/checked.h"

namespace basin {

namespace {

Index counted(const LayerWords& words, std::optional<Index> count) {
  if (!count) words.fail("a layer whose numbers can be counted, received more than 2^63; make it smaller");
  return *count;
}

}  // namespace

Index product(const LayerWords& words, std::initializer_list<Index> factors) {
  return counted(words, checked_product(factors));
}

Index sum(const LayerWords& words, Index a, Index b) { return counted(words, checked_add(a, b)); }

namespace {

using Extents = std::array<Index, 2>;

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
      if (padding[i] > in[i + 1])
        words.fail(fmt::format("padding of at most the maps' {}x{}, received {}", in[1], in[2], padding[i]));
      const Index reach = sum(words, product(words, {dilation[i], window[i] - 1}), 1),
                  room = in[i + 1] + 2 * padding[i];
      if (reach > room) {
        words.fail(fmt::format("a window that fits into maps of {}x{} with padding {}x{}, received {}x{}",
                               in[1], in[2], padding[0], padding[1], window[0], window[1]));
      }
      out[i] = (room - reach) / stride[i] + 1;
    }
  }
  Index places() const { return out[0] * out[1]; }
};

/// What divides both numbers of channels.
Index groups_of(LayerWords& words, Index in, Index out) {
  const Index groups = words.named_count("groups", 1, 1);
  if (in % groups != 0 || out % groups != 0)
    words.fail(fmt::format("groups that divide {} maps below and {} above, received {}", in, out, groups));
  return groups;
}

/// Samples that are sequences, [C, L].
const Shape& sequences(const LayerWords& words, const Shape& in) {
  if (in.size() != 2) {
    words.fail(fmt::format("samples that are sequences, [channels, length], received {}; take conv for maps",
                           to_string(in)));
  }
  return in;
}

/// Filters along sequences: their number, length and how they are laid.
struct Along {
  Index count, length;
  Conv1dLayerOptions how;

  Along(LayerWords& words, const Shape& in)
      : count(words.count("the number of channels")), length(words.count("the length of the filters")) {
    how.stride = words.named_count("stride", 1, 1);
    how.padding = words.named_count("pad", 0, 0);
    how.dilation = words.named_count("dilation", 1, 1);
    how.groups = groups_of(words, in[0], count);
  }
  /// From the first to the last number under a filter.
  Index reach(const LayerWords& words) const {
    return sum(words, product(words, {how.dilation, length - 1}), 1);
  }
  template <class M>
  Layer layer(const LayerWords& words, const Shape& in, Index out, Index places) const {
    const Index weights = product(words, {in[0], count / how.groups, length});
    return {.out = {count, out},
            .parameters = sum(words, weights, count),
            .multiply_adds = product(words, {weights, places}),
            .build = [own = *this, channels = in[0]](const Initializer& initializer, Key key,
                                                     Placement placement) {
              Conv1dLayerOptions how = own.how;
              how.initializer = initializer;
              how.placement = placement;
              return shared(M(channels, own.count, own.length, key, how));
            }};
  }
};

}  // namespace

Layer read_conv(LayerWords& words, const Shape& in) {
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
          .parameters = sum(words, weights, count),
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

Layer read_conv_transpose(LayerWords& words, const Shape& sample) {
  const Shape in = maps(words, sample);
  const Index count = words.count("the number of maps");
  const Extents window = words.extents("the size of the filters"),
                stride = words.named_extents("stride", 1, {1, 1}),
                padding = words.named_extents("pad", 0, {0, 0}),
                dilation = words.named_extents("dilation", 1, {1, 1});
  const Index groups = groups_of(words, in[0], count);
  Shape out{count, 0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    out[i + 1] =
        sum(words, product(words, {stride[i], in[i + 1] - 1}), product(words, {dilation[i], window[i] - 1})) -
        2 * padding[i];
    out[i + 1] = sum(words, out[i + 1], 1);
    if (out[i + 1] < 1) words.fail(fmt::format("padding that leaves a pixel, received {}", padding[i]));
  }
  const Index weights = product(words, {in[0], count / groups, window[0], window[1]});
  return {.out = out,
          .parameters = sum(words, weights, count),
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

Layer read_conv1d(LayerWords& words, const Shape& sample) {
  const Shape& in = sequences(words, sample);
  const Along along(words, in);
  if (along.how.padding > in[1])
    words.fail(fmt::format("padding of at most the {} steps, received {}", in[1], along.how.padding));
  const Index room = in[1] + 2 * along.how.padding, reach = along.reach(words);
  if (reach > room) words.fail(fmt::format("a filter that fits into {} steps, received {}", room, reach));
  const Index out = (room - reach) / along.how.stride + 1;
  return along.layer<Conv1d>(words, in, out, out);
}

Layer read_conv_transpose1d(LayerWords& words, const Shape& sample) {
  const Shape& in = sequences(words, sample);
  const Along along(words, in);
  const Index out =
      sum(words, product(words, {along.how.stride, in[1] - 1}), along.reach(words)) - 2 * along.how.padding;
  if (out < 1) words.fail(fmt::format("padding that leaves a step, received {}", along.how.padding));
  return along.layer<ConvTranspose1d>(words, in, out, in[1]);
}

Layer read_local(LayerWords& words, const Shape& in) {
  const Index count = words.count("the number of maps");
  const Sweep sweep(words, in, words.extents("the size of the filters"), {1, 1}, false);
  const Index weights =
      product(words, {sweep.places(), count, sweep.in[0], sweep.window[0], sweep.window[1]});
  return {
      .out = {count, sweep.out[0], sweep.out[1]},
      .parameters = sum(words, weights, product(words, {count, sweep.places()})),
      .multiply_adds = weights,
      .build = [=](const Initializer& initializer, Key key, Placement placement) {
        return shared(LocallyConnected2d({sweep.in[0], sweep.in[1], sweep.in[2]}, count, sweep.window, key,
                                         {.stride = sweep.stride,
                                          .padding = sweep.padding,
                                          .initializer = initializer,
                                          .placement = placement}));
      }};
}

Layer read_pool(LayerWords& words, const Shape& in) {
  using enum Pool2d::Kind;
  const std::string name = words.choice("a kind of pool", {"max", "average", "lp", "log_sum_exp"});
  const Pool2d::Kind kind = name == "max" ? Max : name == "average" ? Average : name == "lp" ? Lp : LogSumExp;
  const Extents size = words.extents("the size of the windows");
  Pool2dOptions options;
  if (kind == Lp) options.p = words.named_number("p", 1.0, 999.0, options.p);
  if (kind == LogSumExp) options.beta = words.named_number("beta", 1e-6, 1e6, options.beta);
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

Layer read_local_contrast(LayerWords& words, const Shape& in) {
  const Index size = words.has_more() ? words.count("the size of the window") : LocalContrastOptions{}.size;
  constexpr Index kMost = 1023;
  if (size % 2 == 0 || size > kMost)
    words.fail(fmt::format("an odd size up to {}, received {}", kMost, size));
  return {.out = maps(words, in),
          .build = [=](const Initializer&, Key, Placement) { return shared(LocalContrast({.size = size})); }};
}

}  // namespace basin
