#pragma once

#include <string>
#include <string_view>

namespace basin {

/// Text for a page in UTF-8, in elements and in quoted attributes alike: & < > " ' as references. Bytes that
/// are no UTF-8, and control characters but tab and line feed, become U+FFFD.
std::string escape_html(std::string_view text);

/// A text as a JSON string, with its quotes, that may stand inside <script>: beside what JSON asks for, < > &
/// U+2028 and U+2029 are written as \uXXXX. What is no UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// A number as JSON; null for what is not finite.
std::string json_number(double number);

/// RFC 4648, section 4, with padding.
std::string base64(std::string_view bytes);

}  // namespace basin
