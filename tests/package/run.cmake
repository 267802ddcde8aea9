# Installs the build in BUILD into a folder below WORK, then builds outside/ against it with find_package(basin) and runs it.
# cmake -DBUILD=... -DWORK=... -DGENERATOR=... -DCOMPILER=... -DFLAGS=... -DPROGRAM=... -DCUDA=... -P run.cmake
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)

function(step)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
if(PROGRAM)
  step(${prefix}/bin/basin --help)
  execute_process(COMMAND ${prefix}/bin/basin info OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  if(CUDA AND NOT said MATCHES "CUDA runtime")
    message(FATAL_ERROR "expected the installed program to find the installed libbasin_cuda, received:\n${said}")
  endif()
endif()
step(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CMAKE_CURRENT_LIST_DIR}/outside -B ${WORK}/outside -DCMAKE_BUILD_TYPE=Release
     -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_PREFIX_PATH=${prefix})
step(${CMAKE_COMMAND} --build ${WORK}/outside)
step(${WORK}/outside/outside)
