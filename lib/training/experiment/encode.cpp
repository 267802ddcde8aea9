#include "training/experiment/encode.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/digest.h"
#include "data/rows_column.h"
#include "results/hdf5/rows_file.h"
#include "tensor/error.h"
#include "tensor/flags.h"
#include "training/walk.h"

namespace basin {
namespace {

/// Calls visit(codes [n, shape...], number of the first) part after part.
template <class Visit>
void walk(const Stage& stage, const Samples& samples, const Shape& shape, Visit visit) {
  walk_through(stage_means(stage, samples), samples.count, stage.key.fold("features"),
               [&](const State& batch, Index first) {
                 const Context context{.first_row = first, .lengths = batch.context().lengths};
                 const Value& x = batch[stage.inputs.at(0).variable];
                 const Tensor codes = stage.encoder->forward(x, context).detached().tensor();
                 Flags flags(1);
                 flags.check(0, Check::Finite, codes);
                 if (!flags.raised().empty()) {
                   throw Error(
                       fmt::format("[stages] expected finite codes of stage {}, received others for samples "
                                   "{} to {}; look at its parameters and data",
                                   stage.name, first, first + codes.dim(0) - 1));
                 }
                 if (Shape(codes.shape().begin() + 1, codes.shape().end()) != shape) {
                   throw Error(fmt::format(
                       "[stages] expected codes {} of each sample of stage {}, received {} of samples from "
                       "{} on; sequences of several lengths have no codes of one shape",
                       to_string(shape), stage.name, to_string(codes.shape()), first));
                 }
                 visit(codes, first);
               });
}

/// The codes of all samples, through `file` of the cache where there is one.
Column codes_of(const Stage& stage, const Samples& samples, Cache& cache, const std::string& file,
                std::size_t large) {
  const Shape shape = code_shape(stage, samples.shape());
  const Dtype dtype = stage.placement.dtype;
  const auto write = [&](const std::string& path) {
    RowsWriter writer(path, shape, dtype);
    walk(stage, samples, shape, [&](const Tensor& codes, Index /*first*/) { writer.append(codes); });
    writer.finish();
  };
  if (!file.empty() && (cache.holds(file) || cache.keep(file, write)))
    return rows_column("code", cache.path(file), large);
  Shape rows = shape;
  rows.insert(rows.begin(), samples.count);
  const Tensor all(rows, {dtype, Device::Cpu});
  walk(stage, samples, shape, [&](const Tensor& codes, Index first) {
    all.rows(first, first + codes.dim(0)).copy_from(codes.to(Device::Cpu));
  });
  return rows_column("code", all, large);
}

}  // namespace

Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name,
                std::size_t large) {
  const auto part = [&](const Samples& samples, const std::string& which) {
    if (samples.count == 0) return samples;
    const std::string file = name.empty() ? "" : fmt::format("{}.{}.h5", name, which);
    Samples codes{codes_of(stage, samples, cache, file, large)};
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
          .preprocessing = stage.pictures ? stage.pictures(data.preprocessing) : Preprocessing{},
          .validation = part(data.validation, "validation"),
          .labelled = all_labelled ? train : part(data.labelled, labelled()),
          .class_names = data.class_names};
}

Shape code_shape(const Stage& stage, const Shape& sample) {
  if (!stage.encoder) {
    throw Error(
        fmt::format("[stages] expected a stage with an encoder below others, received {} ({}) without",
                    stage.name, stage.kind));
  }
  Variable x = stage.inputs.at(0).variable;
  for (std::size_t axis = 0; axis < std::min(x.shape.size(), sample.size()); ++axis) {
    if (x.shape[axis] == 0) x.shape[axis] = sample[axis];
  }
  const Value one(Tensor::zeros(batched(x, 1), stage.placement));
  const Shape codes = stage.encoder->forward(one).shape();
  return {codes.begin() + 1, codes.end()};
}

}  // namespace basin
