#!/usr/bin/env bash
# Checks that no file holds marks of a merge, and that clang-format would leave every C++ file as it is. Versions differ in what they do:
# only 14, Debian 12's, counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if git grep -nE '^(<<<<<<<|>>>>>>>) '; then
  echo "format: expected no marks of a merge, received these; choose one side" >&2
  exit 1
fi
for program in clang-format-14 clang-format; do
  if command -v "$program" >/dev/null && [[ $("$program" --version) =~ version\ 14\. ]]; then
    git ls-files -z '*.h' '*.cpp' | xargs -0 "$program" --dry-run -Werror
    echo "format: $(git ls-files '*.h' '*.cpp' | wc -l) files checked"
    exit 0
  fi
done
echo "format: skipped, there is no clang-format 14 here"
