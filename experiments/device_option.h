#pragma once

#include <string>
#include <vector>

#include "arguments.h"
#include "results/hdf5/store.h"
#include "tensor/device.h"

namespace basin::program {

/// --device NAME[:N] and --products NAME, of commands that compute.
const std::vector<Option>& device_options();

/// The device that the options name, cpu without them; that of cuda:N is chosen and looked for, so that what
/// is missing is said before anything else is done. Throws UsageError or Error.
Device device_of(const Arguments& arguments);
/// The same, where a results file says what holds without them.
Device device_of(const Arguments& arguments, const Store& store);

/// The options as they were given, for a program that this one starts.
std::vector<std::string> device_words(const Arguments& arguments);

}  // namespace basin::program
