#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/cache.h"
#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// What a stage's encoder makes of a data set: real values in the place of its samples, all other columns as
/// they are; as preprocessing the pictures that codes stand for. The encoder is given means, never drawn
/// bits.
///
/// Each part goes through the cache file "NAME.<part>.h5", written row by row, when there is a cache; parts
/// of more than 1 GiB are then left there and read batch by batch. Throws Error where there is no encoder.
Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name = "");

/// The shape of what a stage's encoder makes of one sample.
Shape code_shape(const Stage& stage);

/// Whether samples, judged by the first of them, are numbers in [0, 1]: bytes, bits, means of bits.
bool in_unit_interval(const Samples& samples);

/// The encoders of stages, one after another, and a last module: x -> last(g_n(... g_1(x))). Its parameters
/// are theirs, as "<stage>.<name>" and "head.<name>".
class EncoderStack final : public Module {
 public:
  EncoderStack(const std::vector<Stage>& stages, std::shared_ptr<const Module> head);

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

 private:
  std::vector<std::pair<std::string, std::shared_ptr<const Module>>> modules_;
};

}  // namespace basin
