#pragma once

#include <functional>
#include <string>

namespace basin {

/// Lets `read` read a file in a child process first, and returns when it came to its end there, with an Error
/// or without: for files that HDF5, which breaks down on some damaged ones, is shown without their being
/// known to be whole. Throws Error, with `name` for the file, when the child was killed by what it read or
/// took a minute of processor time over it.
void try_to_read(const std::string& name, const std::function<void()>& read);

}  // namespace basin
