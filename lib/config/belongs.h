#pragma once

#include <initializer_list>
#include <string_view>

#include "config/config.h"

namespace basin {

/// Throws Error where somebody wrote one of these keys of a table, which are read elsewhere, or with another
/// value of a key beside them: `to` says where ("train.objective = \"tempering\"").
void refuse_unless(bool here, const Config& table, std::initializer_list<const char*> keys,
                   std::string_view to);

}  // namespace basin
