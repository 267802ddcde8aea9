#pragma once

#include <string_view>

namespace basin {

/// What every page holds: files of this folder, put into the library at build time (embed.cmake).
extern const std::string_view kUplotScript, kUplotStyle, kUplotLicence;  // uplot/
extern const std::string_view kReportScript, kReportStyle;

}  // namespace basin
