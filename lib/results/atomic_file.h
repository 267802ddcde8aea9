#pragma once

#include <string>
#include <string_view>

namespace basin {

/// Replaces the file at `path` by these bytes, or leaves it untouched: writes "PATH.<process>.tmp" beside it,
/// makes the disk keep it (fsync), then renames. Throws Error naming path and reason when the folder is
/// missing, the disk is full, `path` is a folder or a device, ...; the temporary file is then removed.
void write_atomically(const std::string& path, std::string_view bytes);

/// The whole file. Throws Error when it is absent, a folder, or cannot be read.
std::string read_whole(const std::string& path);

}  // namespace basin
