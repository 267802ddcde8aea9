# Installs the build in BUILD into a folder below WORK, then builds outside/ against it with find_package(basin) and runs it.
# cmake -DBUILD=... -DWORK=... -DGENERATOR=... -DCOMPILER=... -DFLAGS=... -P run.cmake
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)

function(step)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
if(PROGRAM)
  step(${prefix}/bin/basin --help)
endif()
step(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CMAKE_CURRENT_LIST_DIR}/outside -B ${WORK}/outside -DCMAKE_BUILD_TYPE=Release
     -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_PREFIX_PATH=${prefix})
step(${CMAKE_COMMAND} --build ${WORK}/outside)
step(${WORK}/outside/outside)
