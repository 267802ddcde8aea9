#include "config/article.h"

#include <string_view>

namespace basin {

std::string with_article(const std::string& name) {
  constexpr std::string_view kVowels = "aeiouAEIOU", kSpoken = "fhlmnrsxFHLMNRSX";
  const std::string_view first = std::string_view(name).substr(0, name.find_first_of("_- "));
  const bool is_spelled = first.find_first_of(kVowels) == std::string_view::npos;
  const bool takes_n =
      !first.empty() && (is_spelled ? kSpoken : kVowels).find(first[0]) != std::string_view::npos;
  return (takes_n ? "an " : "a ") + name;
}

}  // namespace basin
