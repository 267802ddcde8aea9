#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/catalog.h"

namespace basin {

struct FetchOptions {
  /// Called now and then with the bytes of the file that are there and all it will have.
  std::function<void(const RemoteFile& file, std::uint64_t done, std::uint64_t total)> progress;
  /// Asked now and then; true stops the download, keeping what came (for a signal handler's flag).
  std::function<bool()> cancelled;
  int attempts = 3;               // per URL, while each brings new bytes
  double connect_seconds = 15.0;  // to reach a server
  double stalled_seconds = 30.0;  // without a byte before the transfer is given up
};

/// Downloads one file into `folder` (made when missing) and returns its path; a file that is there and right
/// is left alone.
///
/// The bytes go to FILE.part, which a later call continues by an HTTP range; servers that ignore ranges start
/// it over. Only a file of the right size and SHA-256 is renamed to FILE, after fsync, so that FILE is never
/// half-written, whatever stops the program. Addresses are tried in order. On failure FILE.part stays when it
/// can be continued, and goes when its bytes are wrong.
/// Throws Error with the reason for each address and what to do without a network.
std::string fetch_file(const RemoteFile& file, const std::string& folder, const FetchOptions& options = {});

/// Downloads the files of a data set that are not there, or not right, into its own folder under the first of
/// data_folders(); returns where all of them lie.
/// Throws Error as fetch_file does, and for a data set that needs no file.
std::vector<std::string> fetch_entry(const CatalogEntry& entry, const FetchOptions& options = {});

}  // namespace basin
