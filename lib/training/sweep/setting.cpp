#include "training/sweep/setting.h"

#include <fmt/format.h>

namespace basin {

std::string Setting::text() const { return fmt::format("{}={}", path, format_value(value)); }

std::string Setting::short_value() const {
  if (!value.is_array_of_tables()) return format_value(value);
  std::string names;
  for (const Node& table : value.children) {
    const Node* name = table.find("name");
    names += fmt::format("{}{}", names.empty() ? "" : "+", name == nullptr ? "?" : name->text);
  }
  return names.empty() ? "none" : names;
}

std::string text_of(const Settings& settings) {
  std::string text;
  for (const Setting& setting : settings)
    text += fmt::format("{}{}", text.empty() ? "" : " ", setting.text());
  return text;
}

}  // namespace basin
