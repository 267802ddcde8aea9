#include "models/patchwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "models/encoder.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// An encoder f(x W + b) whose f goes number by number, with what its features need along axis 1.
struct Pointwise {
  const Linear* filters = nullptr;
  std::function<Value(const Value& a, const Context& context)> then;
};

/// Whether it knows neither neighbours nor keys.
bool goes_number_by_number(Activation::Kind kind) {
  using enum Activation::Kind;
  return kind != WinnerTakeAll && kind != Maxout && kind != Rrelu;
}

/// The modules of sequences inside of each other; to flatten is what a product does anyway.
void collect(const Module& module, std::vector<const Module*>& parts) {
  if (const auto* sequence = dynamic_cast<const Sequential*>(&module)) {
    for (const auto& part : sequence->modules()) collect(*part, parts);
  } else if (dynamic_cast<const Flatten*>(&module) == nullptr) {
    parts.push_back(&module);
  }
}

std::optional<Pointwise> pointwise(const Module& encoder) {
  if (const auto* own = dynamic_cast<const Encoder*>(&encoder)) {
    return Pointwise{
        &own->filters(), [own](const Value& a, const Context&) {
          const auto& s = own->scale();
          return encode(own->kind(), a, s ? reshape(s->value(), {s->tensor().size(), 1, 1}) : Value());
        }};
  }
  std::vector<const Module*> parts;
  collect(encoder, parts);
  const auto* filters = parts.empty() ? nullptr : dynamic_cast<const Linear*>(parts[0]);
  if (filters == nullptr || parts.size() > 2) return {};
  if (parts.size() == 1) return Pointwise{filters, [](const Value& a, const Context&) { return a; }};
  const auto* activation = dynamic_cast<const Activation*>(parts[1]);
  if (activation == nullptr || !goes_number_by_number(activation->kind())) return {};
  return Pointwise{filters, [activation](const Value& a, const Context& context) {
                     return activation->forward(a, context);
                   }};
}

/// W [C h w, K] as filters [K, C, h, w].
Value correlate(const Linear& filters, const Value& images, std::array<Index, 2> size,
                std::array<Index, 2> stride) {
  const Index channels = images.dim(1), units = filters.weight().tensor().dim(1);
  const Value w = reshape(transpose(filters.weight().value(), {1, 0}), {units, channels, size[0], size[1]});
  const Value a = conv2d(images, w, {.stride = stride});
  return filters.bias() ? a + reshape(filters.bias()->value(), {units, 1, 1}) : a;
}

}  // namespace

Patchwise::Patchwise(std::shared_ptr<const Module> encoder, std::array<Index, 2> size,
                     PatchwiseOptions options)
    : encoder_(std::move(encoder)), size_(size), options_(options) {
  if (!encoder_ || std::min({size[0], size[1], options.stride[0], options.stride[1]}) < 1) {
    throw Error(
        fmt::format("[patchwise] expected an encoder, patches and a stride of at least 1, received {}, {} x "
                    "{} and {} x {}",
                    encoder_ ? "one" : "none", size[0], size[1], options.stride[0], options.stride[1]));
  }
}

bool Patchwise::fuses() const { return options_.fuse == Fuse::Auto && pointwise(*encoder_).has_value(); }

Value Patchwise::forward(const Value& x, const Context& context) const {
  const auto [h, w] = size_;
  const bool has_channels = x.rank() == 4;
  if (!(has_channels || x.rank() == 3) || x.dim(-2) < h || x.dim(-1) < w) {
    throw Error(
        fmt::format("[patchwise] expected images [N, C, H, W] or [N, H, W] of at least {} x {}, received {}",
                    h, w, to_string(x.shape())));
  }
  const Value images = has_channels ? x : reshape(x, {x.dim(0), 1, x.dim(1), x.dim(2)});
  if (options_.fuse == Fuse::Auto) {
    if (const auto own = pointwise(*encoder_))
      return own->then(correlate(*own->filters, images, size_, options_.stride), context);
  }
  // Replicas of a patch stand beside each other, as those of a sample did.
  const Value windows = windows2d(images, {.size = size_, .stride = options_.stride});
  const Index channels = images.dim(1), rows = windows.dim(3), columns = windows.dim(4),
              replicas = context.replicas, samples = images.dim(0) / replicas, places = rows * columns;
  const Value patches =
      transpose(reshape(windows, {samples, replicas, channels, h * w, rows, columns}), {0, 4, 5, 1, 2, 3});
  Shape shape{samples * places * replicas, h, w};
  if (has_channels) shape.insert(shape.begin() + 1, channels);
  Context each = context;
  each.first_row = context.first_row * places;
  each.lengths = each.ids = {};
  each.samples = 0;
  const Value codes = encoder_->forward(reshape(patches, shape), each);
  const Index units = codes.tensor().size() / shape[0];
  return reshape(transpose(reshape(codes, {samples, rows, columns, replicas, units}), {0, 3, 4, 1, 2}),
                 {samples * replicas, units, rows, columns});
}

}  // namespace basin
