#include "config/belongs.h"

#include <fmt/format.h>

namespace basin {

void refuse_unless(bool here, const Config& table, std::initializer_list<const char*> keys,
                   std::string_view to) {
  for (const char* key : keys) {
    if (!here && table.has(key))
      table.fail(key, fmt::format("belongs to {}; move it there, or leave it out", to));
  }
}

}  // namespace basin
