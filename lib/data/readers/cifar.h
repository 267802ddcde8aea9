#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/import_limit.h"

namespace basin {

/// A byte at the beginning of a record: which class of its kind the picture is of.
struct CifarLabel {
  std::string column;
  Index classes;
};

/// Colour pictures of CIFAR-10 and CIFAR-100 in their binary form, also packed by gzip, one file after
/// another: "image", bytes [3, 32, 32] (red, green, blue), and the labels, of which a file has any number of
/// records: a byte each of `labels`, then the picture's 3072 bytes. The column "label" comes first of them.
///
/// Throws Error for files that are not made of whole records, or without any, and for a class that is none,
/// with the record. Reference: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
Samples read_cifar(std::span<const std::string> paths, std::span<const CifarLabel> labels,
                   const ImportLimit& limit = ImportLimit());

}  // namespace basin
