#pragma once

#include <cstdint>
#include <string>

#include "results/hdf5/hdf5_handle.h"
#include "tensor/shape.h"

namespace basin {

/// The extents of an open dataset. Throws Error "[hdf5] WHAT: ..." when HDF5 cannot say.
Shape hdf5_shape(Hdf5Id dataset, const std::string& what);

/// Throws Error unless what a file of `length` bytes stores can be as much as the shape says, for the numbers
/// and for a single chunk of them: to call before memory is taken. Returns the bytes of a chunk (0 without
/// chunks), which HDF5 holds while it reads.
std::uint64_t hdf5_expect_stored(Hdf5Id dataset, const Shape& shape, std::uint64_t length,
                                 const std::string& what);

}  // namespace basin
