#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace basin {

/// Some samples by the name of their part: "train", "labelled", "validation", "test".
struct NamedSamples {
  std::string name;
  Samples samples;
  std::map<std::string, std::string> attributes = {};  // of the first column, in an HDF5 file
};

/// The parts of a data set that hold samples, or the one of a name. Where some training samples hide their
/// labels (data.labels), "train" is all of them without, and "labelled" those that show theirs, with. Throws
/// Error where there is none of a name.
std::vector<NamedSamples> parts_of(const Dataset& data, const std::string& only = "");

/// Writes samples where other programs, and `[data] name = "file"`, read them:
///   FILE.h5, .hdf5  each column a dataset PART/COLUMN: bytes as f32 in [0, 1], reals as they are, integers
///                   and categories as 64-bit integers
///   FILE.npy        one column of one part, as it is stored (u1, f4, f8, i4): format 1 of NumPy
/// `column` "" is the first one of a .npy, and all of an HDF5 file. The file is replaced as a whole or not
/// at all. Throws Error for another ending, an unknown column, several parts in a .npy, a full disk.
void export_samples(const std::string& path, const std::vector<NamedSamples>& parts,
                    const std::string& column = "");

}  // namespace basin
