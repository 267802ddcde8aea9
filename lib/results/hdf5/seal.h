#pragma once

#include <string>

namespace basin {

/// A seal says of an HDF5 file whether its bytes are those that were written: behind the end of the file as
/// HDF5 knows it, which readers of HDF5 ignore, stands the line "sha256 <digest of all bytes before it>". It
/// is looked at before HDF5 is, which breaks down on some damaged files.

/// The bytes of an HDF5 file and their seal.
std::string seal(std::string bytes);

/// Takes the seal off: false where there is none, as in files of other programs and of earlier versions of
/// this one. Throws Error, with `name` for the file, when the bytes are not those that were sealed.
bool unseal(std::string& bytes, const std::string& name);

}  // namespace basin
