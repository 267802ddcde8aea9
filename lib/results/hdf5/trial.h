#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace basin {

/// Lets `read` read a file in a child process first, and returns when it came to its end there, with an Error
/// or without: for files that HDF5, which breaks down on some damaged ones, is shown without their being
/// known to be whole. Throws Error, with `name` for the file, when the child was killed by what it read or
/// took a minute of processor time over it, and one more for each GiB of its `bytes`. What `read` calls must
/// start no threads.
void try_to_read(const std::string& name, const std::function<void()>& read, std::uint64_t bytes = 0);

}  // namespace basin
