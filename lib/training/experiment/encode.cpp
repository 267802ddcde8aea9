#include "training/experiment/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "data/digest.h"
#include "data/rows_column.h"
#include "results/hdf5/rows_file.h"
#include "tensor/error.h"
#include "tensor/flags.h"
#include "training/everywhere.h"
#include "training/walk.h"

namespace basin {
namespace {

/// Numbers that stand in memory at a time for each stage on the way.
constexpr Index kTogether = Index{1} << 27;

/// Of one sample, of its codes and of the patches that overlap in it.
Index numbers_of(const Stage& stage, const Shape& codes) {
  Index numbers = element_count(codes);
  if (stage.facets.get<Everywhere>() != nullptr)
    numbers = std::max(numbers, stage.inputs.at(0).variable.size() * codes.at(1) * codes.at(2));
  return numbers;
}

/// Calls visit(codes [n, shape...]) part after part.
template <class Visit>
void walk(const Encoding& encoding, Index count, Visit visit) {
  for (Index first = 0; first < count; first += encoding.together()) {
    std::vector<Index> rows(static_cast<std::size_t>(std::min(encoding.together(), count - first)));
    std::iota(rows.begin(), rows.end(), first);
    visit(encoding.codes(rows), first);
  }
}

/// The codes of all samples, through `file` of the cache where there is one.
Column codes_of(std::span<const Stage> stages, const Samples& samples, Cache& cache, const std::string& file,
                std::size_t large) {
  const Encoding encoding(stages, stages.size(), samples);
  const Dtype dtype = stages.back().placement.dtype;
  const auto write = [&](const std::string& path) {
    RowsWriter writer(path, encoding.shape(), dtype);
    walk(encoding, samples.count, [&](const Tensor& codes, Index /*first*/) { writer.append(codes); });
    writer.finish();
  };
  if (!file.empty() && (cache.holds(file) || cache.keep(file, write)))
    return rows_column("code", cache.path(file), large);
  Shape rows = encoding.shape();
  rows.insert(rows.begin(), samples.count);
  const Tensor all(rows, {dtype, Device::Cpu});
  walk(encoding, samples.count, [&](const Tensor& codes, Index first) {
    all.rows(first, first + codes.dim(0)).copy_from(codes.to(Device::Cpu));
  });
  return rows_column("code", all, large);
}

}  // namespace

Encoding::Encoding(std::span<const Stage> stages, std::size_t passed, const Samples& samples)
    : stages_(stages),
      passed_(passed),
      source_(whole_means(stages.front(), samples)),
      x_(whole_variable(stages.front())),
      shape_(samples.shape()),
      together_(kChunk) {
  for (const Stage& stage : stages.first(passed)) {
    shape_ = code_shape(stage, shape_);
    together_ = std::clamp<Index>(kTogether / std::max<Index>(1, numbers_of(stage, shape_)), 1, together_);
  }
}

Tensor Encoding::codes(std::span<const Index> rows) const {
  const State batch = source_.batch(rows, stages_.front().key.fold("features"));
  const Context context{.first_row = rows.front(), .lengths = batch.context().lengths};
  Value x = batch[x_];
  for (const Stage& stage : stages_.first(passed_)) {
    x = passed_on(stage)->forward(x, context).detached();
    Flags flags(1);
    flags.check(0, Check::Finite, x.tensor());
    if (!flags.raised().empty()) {
      throw Error(
          fmt::format("[stages] expected finite codes of stage {}, received others for samples "
                      "{} to {}; look at its parameters and data",
                      stage.name, rows.front(), rows.back()));
    }
  }
  const Tensor codes = x.tensor();
  if (passed_ > 0 && Shape(codes.shape().begin() + 1, codes.shape().end()) != shape_) {
    throw Error(
        fmt::format("[stages] expected codes {} of each sample of stage {}, received {} of samples from "
                    "{} on; sequences of several lengths have no codes of one shape",
                    to_string(shape_), stages_[passed_ - 1].name, to_string(codes.shape()), rows.front()));
  }
  return codes;
}

Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name,
                std::size_t large) {
  return encoded(std::span(&stage, 1), data, cache, name, large);
}

Dataset encoded(std::span<const Stage> stages, const Dataset& data, Cache& cache, const std::string& name,
                std::size_t large) {
  const auto part = [&](const Samples& samples, const std::string& which) {
    if (samples.count == 0) return samples;
    const std::string file = name.empty() ? "" : fmt::format("{}.{}.h5", name, which);
    Samples codes{codes_of(stages, samples, cache, file, large)};
    for (std::size_t i = 1; i < samples.columns.size(); ++i) codes.add(samples.columns[i]);
    return codes;
  };
  const Samples train = part(data.train, "train");
  const bool all_labelled = data.labelled.count == data.train.count;
  // Which samples are labelled is no part of what the name stands for.
  const auto labelled = [&] { return name.empty() ? "" : "labelled-" + digest(data.labelled).substr(0, 12); };
  return {.name = data.name,
          .train = train,
          .test = part(data.test, "test"),
          .preprocessing = pictures_above(stages, data.preprocessing),
          .validation = part(data.validation, "validation"),
          .labelled = all_labelled ? train : part(data.labelled, labelled()),
          .class_names = data.class_names};
}

Preprocessing pictures_above(std::span<const Stage> stages, Preprocessing below) {
  for (const Stage& stage : stages) below = stage.pictures ? stage.pictures(below) : Preprocessing{};
  return below;
}

Shape code_shape(const Stage& stage, const Shape& sample) {
  if (!stage.encoder) {
    throw Error(
        fmt::format("[stages] expected a stage with an encoder below others, received {} ({}) without",
                    stage.name, stage.kind));
  }
  Variable x = whole_variable(stage);
  for (std::size_t axis = 0; axis < std::min(x.shape.size(), sample.size()); ++axis) {
    if (x.shape[axis] == 0) x.shape[axis] = sample[axis];
  }
  const Value one(Tensor::zeros(batched(x, 1), stage.placement));
  const Shape codes = passed_on(stage)->forward(one).shape();
  return {codes.begin() + 1, codes.end()};
}

}  // namespace basin
