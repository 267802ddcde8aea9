#pragma once

#include <string>

#include "data/dataset.h"

namespace basin {

/// SHA-256 of all samples of a data set, part by part and column by column with their names, kinds and
/// shapes. Leaves out which samples are labelled: what is learned without labels does not depend on it. Rows
/// in files are read through.
std::string digest(const Dataset& data);

/// The same of some samples alone: are two runs measured on the same ones?
std::string digest(const Samples& samples);

}  // namespace basin
