#pragma once

namespace basin::program {

/// The git revision this program was built from; "unknown" outside a repository.
const char* revision();

}  // namespace basin::program
