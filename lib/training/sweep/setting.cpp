#include "training/sweep/setting.h"

#include <fmt/format.h>

namespace basin {

std::string Setting::text() const { return fmt::format("{}={}", path, format_value(value)); }

std::string text_of(const Settings& settings) {
  std::string text;
  for (const Setting& setting : settings)
    text += fmt::format("{}{}", text.empty() ? "" : " ", setting.text());
  return text;
}

}  // namespace basin
