# SPDX-License-Identifier: BSD-3-Clause
# One libFuzzer program for each tests/fuzz/*_fuzz.cpp, and the target `fuzzers` for all of them.
# What reads files is built again for them, with sanitizers and coverage; tests/fuzz.sh runs them.

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "EBB_FUZZ needs clang++, not ${CMAKE_CXX_COMPILER_ID}: use --preset fuzz")
endif()

# The readers, and what they need of the rest; the linker takes what each program uses.
file(GLOB ebb_fuzz_library_sources CONFIGURE_DEPENDS data/*.cpp)
add_library(ebb_fuzzed STATIC EXCLUDE_FROM_ALL ${ebb_fuzz_library_sources}
  autodiff/array.cpp autodiff/draws.cpp autodiff/error.cpp autodiff/memory.cpp
  autodiff/random.cpp autodiff/scope.cpp autodiff/shape.cpp)
ebb_own_target(ebb_fuzzed)
target_include_directories(ebb_fuzzed PUBLIC "${PROJECT_SOURCE_DIR}/include")
target_include_directories(ebb_fuzzed SYSTEM PRIVATE
  "$<TARGET_PROPERTY:nlohmann_json::nlohmann_json,INTERFACE_INCLUDE_DIRECTORIES>")
target_compile_options(ebb_fuzzed PUBLIC
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
target_link_libraries(ebb_fuzzed PUBLIC ebb::compression Threads::Threads)

add_custom_target(fuzzers)
file(GLOB ebb_fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*_fuzz.cpp)
foreach(source IN LISTS ebb_fuzz_sources)
  cmake_path(GET source STEM name)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  ebb_own_target(${name})
  target_link_libraries(${name} PRIVATE ebb_fuzzed)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  add_dependencies(fuzzers ${name})
endforeach()
