# basin_dependency::openblas: OpenBLAS in its OpenMP build, and no other. The pthread build, which is Debian's default, keeps a pool of
# threads of its own beside OpenMP's; the two spin against each other, and programs that use both run 3-30 times slower.
if(TARGET basin_dependency::openblas)
  return()
endif()

# Debian and Ubuntu keep each build in a folder of its own; elsewhere the OpenMP build is libopenblaso or libopenblas itself.
find_library(BASIN_OPENBLAS NAMES openblas PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp /usr/lib/openblas-openmp
             NO_DEFAULT_PATH)
find_library(BASIN_OPENBLAS NAMES openblaso openblas)
if(NOT BASIN_OPENBLAS)
  message(FATAL_ERROR "OpenBLAS was not found. On Debian or Ubuntu: apt-get install libopenblas-openmp-dev")
endif()
get_filename_component(basin_openblas_folder ${BASIN_OPENBLAS} DIRECTORY)
string(REGEX REPLACE "/lib(64)?/" "/include/" basin_openblas_include "${basin_openblas_folder}")
find_path(BASIN_OPENBLAS_INCLUDE cblas.h HINTS ${basin_openblas_include} PATH_SUFFIXES openblas REQUIRED)
mark_as_advanced(BASIN_OPENBLAS BASIN_OPENBLAS_INCLUDE)

# The library itself says which build it is: 0 without threads, 1 with pthreads, 2 with OpenMP.
if(NOT BASIN_OPENBLAS_CHECKED STREQUAL BASIN_OPENBLAS)
  set(basin_openblas_source ${CMAKE_BINARY_DIR}/CMakeFiles/basin_openblas.cpp)
  file(WRITE ${basin_openblas_source}
       "extern \"C\" int openblas_get_parallel(void);\nint main() { return openblas_get_parallel(); }\n")
  unset(BASIN_OPENBLAS_PARALLEL CACHE)
  try_run(BASIN_OPENBLAS_PARALLEL BASIN_OPENBLAS_LINKS ${CMAKE_BINARY_DIR}/CMakeFiles/basin_openblas ${basin_openblas_source}
          LINK_LIBRARIES ${BASIN_OPENBLAS} COMPILE_OUTPUT_VARIABLE basin_openblas_output)
  if(NOT BASIN_OPENBLAS_LINKS)
    message(FATAL_ERROR "${BASIN_OPENBLAS} cannot be linked:\n${basin_openblas_output}")
  endif()
  if(NOT BASIN_OPENBLAS_PARALLEL EQUAL 2)
    set(basin_openblas_refused ${BASIN_OPENBLAS})
    unset(BASIN_OPENBLAS CACHE)  # so that the next run looks again
    message(FATAL_ERROR "${basin_openblas_refused} is not the OpenMP build of OpenBLAS (openblas_get_parallel() returned "
            "${BASIN_OPENBLAS_PARALLEL}, expected 2): with it, programs that use OpenMP run many times slower. On Debian or Ubuntu: "
            "apt-get install libopenblas-openmp-dev; elsewhere set BASIN_OPENBLAS to the OpenMP build.")
  endif()
  set(BASIN_OPENBLAS_CHECKED ${BASIN_OPENBLAS} CACHE INTERNAL "")
endif()
message(STATUS "OpenBLAS, OpenMP build: ${BASIN_OPENBLAS}")

add_library(basin_dependency::openblas UNKNOWN IMPORTED)
set_target_properties(basin_dependency::openblas PROPERTIES IMPORTED_LOCATION ${BASIN_OPENBLAS}
                      INTERFACE_INCLUDE_DIRECTORIES ${BASIN_OPENBLAS_INCLUDE})
