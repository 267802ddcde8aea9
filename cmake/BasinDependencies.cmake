# The libraries that basin's libraries link, as imported targets. Installed beside basinConfig.cmake: the build and every outside
# project that uses the package find them in the same way.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost REQUIRED)

# basin_find(TARGET LIBRARY HEADER): a library that has no CMake package everywhere.
function(basin_find target library header)
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER ${library} id)
  find_library(BASIN_${id}_LIBRARY NAMES ${library} ${ARGN} REQUIRED)
  find_path(BASIN_${id}_INCLUDE NAMES ${header} PATH_SUFFIXES hdf5/serial REQUIRED)
  mark_as_advanced(BASIN_${id}_LIBRARY BASIN_${id}_INCLUDE)
  add_library(${target} UNKNOWN IMPORTED)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${BASIN_${id}_LIBRARY}"
                        INTERFACE_INCLUDE_DIRECTORIES "${BASIN_${id}_INCLUDE}")
endfunction()

basin_find(basin_dependency::dnnl dnnl dnnl.h)
basin_find(basin_dependency::hwy hwy hwy/highway.h)
basin_find(basin_dependency::hdf5 hdf5_serial hdf5.h hdf5)
basin_find(basin_dependency::cairo cairo cairo/cairo.h)
basin_find(basin_dependency::zip zip zip.h)

include(${CMAKE_CURRENT_LIST_DIR}/OpenBlas.cmake)

# Armadillo without its wrapper library, which would bring in whatever BLAS and LAPACK the system has chosen.
if(NOT TARGET basin_dependency::armadillo)
  find_path(BASIN_armadillo_INCLUDE armadillo REQUIRED)
  mark_as_advanced(BASIN_armadillo_INCLUDE)
  add_library(basin_dependency::armadillo INTERFACE IMPORTED)
  target_include_directories(basin_dependency::armadillo INTERFACE ${BASIN_armadillo_INCLUDE})
  target_compile_definitions(basin_dependency::armadillo INTERFACE ARMA_DONT_USE_WRAPPER ARMA_DONT_USE_ARPACK ARMA_DONT_USE_SUPERLU
                             ARMA_DONT_USE_HDF5 ARMA_DONT_USE_ATLAS)
  target_link_libraries(basin_dependency::armadillo INTERFACE basin_dependency::openblas)
endif()
