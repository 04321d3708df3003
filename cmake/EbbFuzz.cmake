# SPDX-License-Identifier: BSD-3-Clause
# One libFuzzer program for each tests/fuzz/*_fuzz.cpp, and the target `fuzzers` for all of them.
# What reads files is built again for them, with sanitizers and coverage; tests/fuzz.sh runs them.

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "EBB_FUZZ needs clang++, not ${CMAKE_CXX_COMPILER_ID}: use --preset fuzz")
endif()

# The readers, and what they need of the rest; the linker takes what each program uses. It cannot
# leave out a function that coverage counts, and functions of tensors that no reader calls need the
# kernels: so the rest is built without coverage.
file(GLOB_RECURSE ebb_fuzz_library_sources CONFIGURE_DEPENDS data/*.cpp)
list(REMOVE_ITEM ebb_fuzz_library_sources "${PROJECT_SOURCE_DIR}/data/formats/sqlite.cpp")
add_library(ebb_fuzzed STATIC EXCLUDE_FROM_ALL ${ebb_fuzz_library_sources})
file(GLOB ebb_fuzz_core_sources CONFIGURE_DEPENDS autodiff/values/*.cpp)
add_library(ebb_fuzzed_core STATIC EXCLUDE_FROM_ALL ${ebb_fuzz_core_sources}
  autodiff/engine/record.cpp autodiff/functional_call.cpp autodiff/sparse/sparse_rows.cpp
  autodiff/tape.cpp
  autodiff/kernels/instruction_set.cpp autodiff/kernels/row_copy.cpp)
ebb_own_target(ebb_fuzzed)
ebb_own_target(ebb_fuzzed_core)
target_include_directories(ebb_fuzzed_core PUBLIC "${PROJECT_SOURCE_DIR}/include")
target_compile_options(ebb_fuzzed_core PUBLIC
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -ffunction-sections
  -fno-sanitize=vptr)  # which does not know the types of the release build
target_include_directories(ebb_fuzzed SYSTEM PRIVATE
  "$<TARGET_PROPERTY:nlohmann_json::nlohmann_json,INTERFACE_INCLUDE_DIRECTORIES>")
target_compile_options(ebb_fuzzed PUBLIC -fsanitize=fuzzer-no-link)
target_link_libraries(ebb_fuzzed PUBLIC ebb_fuzzed_core ebb::compression Threads::Threads)

# Models need most of the library. What reads them is built again, and the rest, which gets no bytes
# of a file, is that of the release build if there is one: to build all of it with sanitizers would
# take longer than all fuzzers together. Whatever reads JSON is among the first: two compilers lay
# out the lambdas of its header in two ways.
set(ebb_fuzz_rest "${PROJECT_SOURCE_DIR}/build/release/libebb.a")
if(EXISTS "${ebb_fuzz_rest}")
  add_library(ebb_fuzzed_models OBJECT EXCLUDE_FROM_ALL
    nn/layers/stack.cpp nn/models/model_contents.cpp nn/models/model_estimators.cpp
    nn/models/model_format.cpp nn/stack_file.cpp)
  ebb_own_target(ebb_fuzzed_models)
  target_link_libraries(ebb_fuzzed_models PUBLIC ebb_fuzzed)
  target_include_directories(ebb_fuzzed_models SYSTEM PRIVATE
    "$<TARGET_PROPERTY:nlohmann_json::nlohmann_json,INTERFACE_INCLUDE_DIRECTORIES>")
endif()

add_custom_target(fuzzers)
file(GLOB ebb_fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*_fuzz.cpp)
foreach(source IN LISTS ebb_fuzz_sources)
  cmake_path(GET source STEM name)
  if(name STREQUAL sqlite_fuzz AND NOT TARGET ebb_sqlite)
    continue()
  endif()
  if(name STREQUAL model_fuzz AND NOT TARGET ebb_fuzzed_models)
    continue()
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  ebb_own_target(${name})
  target_link_libraries(${name} PRIVATE ebb_fuzzed)
  if(name STREQUAL sqlite_fuzz)
    target_sources(${name} PRIVATE data/formats/sqlite.cpp)
    target_link_libraries(${name} PRIVATE SQLite::SQLite3)
  elseif(name STREQUAL model_fuzz)
    target_link_libraries(${name} PRIVATE ebb_fuzzed_models "${ebb_fuzz_rest}" ebb::openblas)
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined -Wl,--gc-sections)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  add_dependencies(fuzzers ${name})
endforeach()
