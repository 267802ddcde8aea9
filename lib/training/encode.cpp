#include "training/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "autograd/ops.h"
#include "data/fill_batch.h"
#include "results/rows_file.h"
#include "tensor/error.h"
#include "tensor/flags.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr std::size_t kInMemory = std::size_t{1} << 30;  // bytes of features that are kept there

/// A file of rows as a column reads it.
class StoredRows final : public RowReader {
 public:
  explicit StoredRows(RowsFile file) : file_(std::move(file)) {}
  Index block() const override { return file_.chunk(); }
  void read(Index begin, Index end, void* out) const override { file_.read(begin, end, out); }

 private:
  RowsFile file_;
};

/// Calls visit(codes [n, ...]) part after part.
template <class Visit>
void walk(const Stage& stage, const Samples& samples, Visit visit) {
  const PixelScale scale =
      stage.pixels.scale == PixelScale::Stochastic ? PixelScale::Unit : stage.pixels.scale;
  const Source all = stage_source(stage, samples, scale);
  for (Index first = 0; first < samples.count; first += kChunk) {
    const Index last = std::min(first + kChunk, samples.count);
    const State batch = samples_between(all, first, last, stage.key.fold("features"));
    const Context context{.first_row = first, .lengths = batch.context().lengths};
    const Tensor codes =
        stage.encoder->forward(batch[stage.inputs.at(0).variable], context).detached().tensor();
    Flags flags(1);
    flags.check(0, Check::Finite, codes);
    if (!flags.raised().empty()) {
      throw Error(
          fmt::format("[stages] stage {}: its codes of samples {} to {} are not all finite; look at its "
                      "parameters and data",
                      stage.name, first, last - 1));
    }
    visit(codes);
  }
}

Shape row_of(const Tensor& codes) { return {codes.shape().begin() + 1, codes.shape().end()}; }

Column in_memory(const Stage& stage, const Samples& samples) {
  Tensor all;
  Index done = 0;
  walk(stage, samples, [&](const Tensor& codes) {
    if (!all.defined()) {
      Shape shape = codes.shape();
      shape[0] = samples.count;
      all = Tensor(shape, {codes.dtype(), Device::Cpu});
    }
    all.rows(done, done + codes.dim(0)).copy_from(codes.to(Device::Cpu));
    done += codes.dim(0);
  });
  return real_column("code", all);
}

Column from_file(const std::string& path) {
  const RowsFile file(path);
  Shape shape = file.row();
  shape.insert(shape.begin(), 1);
  const Column like = real_column("code", Tensor::zeros(shape, {file.dtype(), Device::Cpu}));
  const Column stored = stored_column(like, file.count(), std::make_shared<const StoredRows>(file));
  const std::size_t bytes =
      static_cast<std::size_t>(file.count() * element_count(file.row())) * byte_size(file.dtype());
  if (bytes > kInMemory) return stored;
  shape[0] = file.count();
  const Tensor all(shape, {file.dtype(), Device::Cpu});
  file.read(0, file.count(), all.data());
  return real_column("code", all);
}

void write(const Stage& stage, const Samples& samples, const std::string& path) {
  std::unique_ptr<RowsWriter> writer;
  walk(stage, samples, [&](const Tensor& codes) {
    if (!writer) writer = std::make_unique<RowsWriter>(path, row_of(codes), codes.dtype());
    writer->append(codes);
  });
  writer->finish();
}

Samples encoded(const Stage& stage, const Samples& samples, Cache& cache, const std::string& file) {
  if (samples.count == 0) return samples;
  const bool kept =
      !file.empty() &&
      (cache.holds(file) || cache.keep(file, [&](const std::string& path) { write(stage, samples, path); }));
  Samples codes{kept ? from_file(cache.path(file)) : in_memory(stage, samples)};
  for (std::size_t i = 1; i < samples.columns.size(); ++i) codes.add(samples.columns[i]);
  return codes;
}

}  // namespace

Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name) {
  if (!stage.encoder) {
    throw Error(fmt::format("[stages] stage {} ({}) has no encoder: nothing can stand on it", stage.name,
                            stage.kind));
  }
  const auto part = [&](const Samples& samples, const char* which) {
    return encoded(stage, samples, cache, name.empty() ? "" : fmt::format("{}.{}.h5", name, which));
  };
  return {.name = data.name,
          .train = part(data.train, "train"),
          .test = part(data.test, "test"),
          .preprocessing = stage.pictures ? stage.pictures(data.preprocessing) : Preprocessing{},
          .validation = part(data.validation, "validation")};
}

Shape code_shape(const Stage& stage) {
  Shape one = stage.inputs.at(0).variable.shape;
  one.insert(one.begin(), 1);
  return row_of(stage.encoder->forward(Value(Tensor::zeros(one, stage.placement))).tensor());
}

bool in_unit_interval(const Samples& samples) {
  constexpr Index kLookedAt = 1000;
  if (!samples.is_real()) return true;
  const Column head = samples.first().head(std::min(samples.count, kLookedAt));
  std::vector<Index> rows(static_cast<std::size_t>(head.count()));
  std::iota(rows.begin(), rows.end(), Index{0});
  const Tensor numbers({head.count(), head.sample_size()});
  fill_batch(head, rows, {}, numbers);
  const float* begin = numbers.host<float>();
  return std::all_of(begin, begin + numbers.size(), [](float x) { return x >= 0.0f && x <= 1.0f; });
}

EncoderStack::EncoderStack(const std::vector<Stage>& stages, std::shared_ptr<const Module> head) {
  for (const Stage& stage : stages) modules_.emplace_back(stage.name, stage.encoder);
  modules_.emplace_back("head", std::move(head));
}

Value EncoderStack::forward(const Value& x, const Context& context) const {
  Value code = x;
  for (std::size_t i = 0; i + 1 < modules_.size(); ++i) {
    code = modules_[i].second->forward(code, context.fold(i));
  }
  return modules_.back().second->forward(flatten(code), context.fold(modules_.size() - 1));
}

std::vector<Parameter> EncoderStack::parameters() const {
  std::vector<Parameter> parameters;
  for (const auto& [name, module] : modules_) {
    for (const Parameter& parameter : module->parameters()) parameters.push_back(parameter.prefixed(name));
  }
  return parameters;
}

}  // namespace basin
