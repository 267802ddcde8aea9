#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "results/hdf5/store.h"

namespace basin {

/// What a results file holds, by "/group/name"; attributes also by the path of a group, "/" being the root.
struct Hdf5Content {
  std::map<std::string, Store::Entry> entries;
  std::map<std::string, std::map<std::string, Store::Scalar>> attributes;
};

/// How long an HDF5 file is by its own account, in a header of version 2 or 3 (HDF5 1.8 and later); 0 of
/// anything else.
std::uint64_t hdf5_length(std::string_view bytes);

/// The bytes of an HDF5 file with this content, made in memory; a function of the content alone. Every object
/// carries HDF5's checksum of its description (file format of HDF5 1.8). Throws Error.
std::string write_hdf5(const Hdf5Content& content);

/// Inverse of write_hdf5. Reads plain datasets of floats, integers and fixed-length texts; what a dataset
/// declares is checked against the length of the file before memory is asked for. Throws Error, with `name`
/// for the file, when the bytes are not HDF5, are cut short, or hold anything else.
Hdf5Content read_hdf5(std::string_view bytes, const std::string& name);

}  // namespace basin
