# Run at every build: writes OUTPUT (a .cpp that defines revision()) from the repository in SOURCE, only when it changes.
set(revision "unknown")
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=* OUTPUT_VARIABLE described
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed)
  set(revision "${described}")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "revision.h"

namespace basin::program {
const char* revision() { return "@revision@"; }
}  // namespace basin::program
]] @ONLY)
