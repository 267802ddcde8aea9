#!/usr/bin/env bash
# tests/checks/skipped.sh LOG: what was skipped, from the log of a ctest run, each reason once with the tests that gave it. Reasons say
# what would enable them.
set -euo pipefail
awk '
  function tell(reason, test) {
    if (!(reason in tests)) reasons[++count] = reason
    if (index(tests[reason] " ", " " test " ") == 0) tests[reason] = tests[reason] " " test
    ++number[reason]
  }
  reading {                      # of one that may have several lines, up to an empty one or what GoogleTest says next
    if ($0 == "" || $0 ~ /^\[/) reading = 0
    else { reason = reason (reason == "" ? "" : " ") $0; next }
  }
  /: Skipped$/ { reading = 1; reason = ""; next }
  /^\[  SKIPPED \] .* \([0-9]+ ms\)$/ { tell(reason == "" ? "no reason given" : reason, $4); reason = "" }
  END {
    if (count == 0) print "Nothing was skipped."
    else print "Skipped, and why:"
    for (i = 1; i <= count; ++i) {
      reason = reasons[i]
      times = (number[reason] > 1) ? " (" number[reason] " times)" : ""
      printf "  %s:%s%s\n", reason, tests[reason], times
    }
  }' "${1:?"expected the log of a ctest run"}"
