#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/class_names.h"
#include "data/column.h"
#include "data/images/preprocessing.h"

namespace basin {

/// Samples as named columns of equal count: {"image", "label"}. The first column is what a model of the
/// samples is a model of; the others are read by those who ask for them. A cheap handle: columns share their
/// numbers when copied.
struct Samples {
  Index count = 0;
  std::vector<Column> columns;

  Samples() = default;
  Samples(std::initializer_list<Column> columns);
  /// One column, the rows of a tensor [count, ...].
  Samples(const Tensor& values);  // NOLINT(google-explicit-constructor): fit(graph, objective, values, ...)
  /// Throws Error for another count, and for a name that is taken.
  Samples& add(Column column);

  /// Null when there is none of that name.
  const Column* find(const std::string& name) const;
  /// Throws Error naming the columns there are.
  const Column& operator[](const std::string& name) const;
  /// Throws Error when there is no column.
  const Column& first() const;
  /// The first column of categories, one a sample; null: unlabelled.
  const Column* labels() const;

  /// Of the first column.
  const Shape& shape() const { return first().shape(); }
  Index sample_size() const { return first().sample_size(); }
  bool is_real() const { return first().kind() == ColumnKind::Reals; }
  std::span<const std::uint8_t> pixels() const { return first().bytes(); }
  const Tensor& values() const { return first().reals(); }

  /// The first n samples. Throws Error when there are fewer.
  Samples head(Index n) const;
  /// Some samples in an order. Throws Error for a row that is not there.
  Samples picked(std::span<const Index> rows) const;
};

/// A data set with its split, and what turns its samples into pictures where they were preprocessed.
struct Dataset {
  std::string name;
  Samples train, test;
  Preprocessing preprocessing = {};
  Samples validation = {};      // for choices of settings; no sample of the other parts; may be empty
  Samples labelled = {};        // the training samples whose labels may be used: train, or a subset of it
  ClassNames class_names = {};  // of columns of categories, where they have names
  bool has_sequences = false;   // numbers [T, features] of the first column are no images
};

/// The mean log-likelihood that no model of these samples can exceed: that of their own frequencies,
/// (1/N) sum_n log(number of samples equal to n / N), in nats. Useful where samples repeat: bars and stripes.
/// Throws Error unless the first column holds bytes: the density of real numbers has no such bound.
double best_log_likelihood(const Samples& samples);

/// Whether all samples are numbers in [0, 1]: bytes, bits, means of bits.
bool in_unit_interval(const Samples& samples);

}  // namespace basin
