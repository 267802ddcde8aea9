# cmake --install: libraries, headers, the program, and a package for find_package(basin).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/basin)

install(TARGETS ${basin_libraries} basin EXPORT basinTargets)
if(BASIN_BUILD_PROGRAM)
  install(TARGETS basin_program)
endif()
if(basin_has_cuda)
  install(TARGETS basin_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/basin FILES_MATCHING PATTERN "*.h"
        PATTERN "tensor/cpu" EXCLUDE PATTERN "tensor/cuda" EXCLUDE PATTERN "tensor/guard" EXCLUDE)
install(EXPORT basinTargets NAMESPACE basin:: DESTINATION ${package_folder})

write_basic_package_version_file(${PROJECT_BINARY_DIR}/basinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/basinConfig.cmake ${CMAKE_CURRENT_LIST_DIR}/BasinDependencies.cmake
              ${CMAKE_CURRENT_LIST_DIR}/OpenBlas.cmake ${PROJECT_BINARY_DIR}/basinConfigVersion.cmake
        DESTINATION ${package_folder})
