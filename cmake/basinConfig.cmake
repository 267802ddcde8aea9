# find_package(basin) gives the target basin::basin.
include(${CMAKE_CURRENT_LIST_DIR}/BasinDependencies.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/basinTargets.cmake)
