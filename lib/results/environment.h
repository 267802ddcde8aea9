#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace basin {

/// Name of the processor ("AMD EPYC 7B13"), "unknown" where the system does not tell.
std::string processor_name();

/// Largest resident memory of this process so far, in bytes.
std::int64_t peak_memory();

/// A line for people where there are more threads than processors; "" where not.
std::string thread_warning();

/// Versions of the libraries this build uses, by name.
std::map<std::string, std::string> library_versions();

}  // namespace basin
