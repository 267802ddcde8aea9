#include "models/dbm.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "tensor/error.h"

namespace basin {
namespace {

void require_sizes(const Shape& visible, const std::vector<Index>& layers) {
  if (visible.empty())
    throw Error(
        "[dbm] expected the shape of one visible sample, received none; set visible_shape, as in {784}");
  if (layers.empty())
    throw Error("[dbm] expected the sizes of hidden layers, received none; set layers, as in {500, 1000}");
  for (const Index size : layers) {
    if (size < 1) throw Error(fmt::format("[dbm] expected layers of at least 1 unit, received {}", size));
  }
}

void write(const Parameter& parameter, const Value& value) {
  if (parameter.tensor().shape() != value.shape()) {
    throw Error(fmt::format("[dbm] expected {} of shape {}, received a layer's {}", parameter.name(),
                            to_string(parameter.tensor().shape()), to_string(value.shape())));
  }
  parameter.tensor().copy_from(value.tensor().to(parameter.tensor().placement()));
}

}  // namespace

Block Dbm::odd() const {
  Block block;
  for (std::size_t l = 0; l < h.size(); l += 2) block.push_back(h[l]);
  return block;
}

Block Dbm::even() const {
  Block block{v};
  for (std::size_t l = 1; l < h.size(); l += 2) block.push_back(h[l]);
  return block;
}

Dbm dbm(const DbmOptions& options) {
  require_sizes(options.visible_shape, options.layers);
  Dbm model;
  model.v = model.graph.binary("v", options.visible_shape);
  for (std::size_t l = 0; l < options.layers.size(); ++l)
    model.h.push_back(model.graph.binary(fmt::format("h{}", l + 1), {options.layers[l]}));
  model.graph.add(Bias(model.v));
  for (const Variable& h : model.h) model.graph.add(Bias(h));
  Variable below = model.v;
  for (const Variable& h : model.h) {
    const Key key = options.key.fold(fmt::format("{}.{}.weight", below.name, h.name));
    model.graph.add(Bilinear(below, h, key, {.scale = options.weight_scale}));
    below = h;
  }
  return model;
}

DbmLayer dbm_layer(const Shape& visible_shape, Index hidden, Twice twice, double weight_scale, Key key) {
  require_sizes(visible_shape, {hidden});
  DbmLayer layer;
  FactorGraph& graph = layer.graph;
  const Variable v = layer.v = graph.binary("v", visible_shape), h = layer.h = graph.binary("h", {hidden});
  const Bias b(v), c(h);
  const Bilinear link(v, h, key.fold("v.h.weight"), {.scale = weight_scale});
  graph.add(b).add(c).add(link);
  layer.visible = {v};
  layer.hidden = {h};
  if (twice == Twice::Visible) {
    layer.visible.push_back(graph.binary("v_copy", visible_shape));
    graph.add(Bias(layer.visible.back(), b.bias())).add(Bilinear(layer.visible.back(), h, link.weight()));
  } else if (twice == Twice::Hidden) {
    layer.hidden.push_back(graph.binary("h_copy", {hidden}));
    graph.add(Bias(layer.hidden.back(), c.bias())).add(Bilinear(v, layer.hidden.back(), link.weight()));
  }
  return layer;
}

void compose(const Dbm& model, const std::vector<DbmLayer>& layers) {
  if (layers.size() != model.h.size())
    throw Error(fmt::format("[dbm] expected {} layers, received {}", model.h.size(), layers.size()));
  const auto of = [](const FactorGraph& graph, const std::string& name) {
    return graph.parameter(name).value().detached();
  };
  write(model.graph.parameter("v.bias"), of(layers.front().graph, "v.bias"));
  std::string below = "v";
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string& name = model.h[l].name;
    const bool single = layers[l].visible.size() == 1 && layers[l].hidden.size() == 1 && layers.size() > 1;
    write(model.graph.parameter(below + "." + name + ".weight"),
          (single ? 0.5 : 1.0) * of(layers[l].graph, "v.h.weight"));
    const Value own = of(layers[l].graph, "h.bias");
    const bool top = l + 1 == layers.size();
    write(model.graph.parameter(name + ".bias"), top ? own : 0.5 * (own + of(layers[l + 1].graph, "v.bias")));
    below = name;
  }
}

}  // namespace basin
