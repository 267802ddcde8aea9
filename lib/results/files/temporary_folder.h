#pragma once

#include <string>

namespace basin {

/// Makes a new folder "basin-PURPOSE-..." that nobody else may enter, where TMPDIR says, and returns its
/// path. Throws Error.
std::string make_temporary_folder(const std::string& purpose);

}  // namespace basin
