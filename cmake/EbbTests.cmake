# SPDX-License-Identifier: BSD-3-Clause
# One test program a folder, the same tests again under lower instruction sets, and scripts.

find_package(doctest REQUIRED)
include(CheckCXXSourceRuns)
check_cxx_source_runs("int main() { return !__builtin_cpu_supports(\"avx2\"); }" EBB_HAS_AVX2)

set(ebb_thread_sanitizer OFF)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
  set(ebb_thread_sanitizer ON)
endif()

# A filter that matches nothing is a mistake, not a success.
function(ebb_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;ENVIRONMENT")
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "${arg_ENVIRONMENT}"
    FAIL_REGULAR_EXPRESSION "test cases: +0 \\|"
    TIMEOUT 1200)
endfunction()

# Removes the files from a list that have no line with a pattern.
function(ebb_keep_files_with files pattern)
  set(kept)
  foreach(file IN LISTS ${files})
    file(STRINGS "${file}" found REGEX "${pattern}" LIMIT_COUNT 1)
    if(found)
      list(APPEND kept "${file}")
    endif()
  endforeach()
  set(${files} "${kept}" PARENT_SCOPE)
endfunction()

if(BUILD_SHARED_LIBS)
  # The tests reach behind the public interface, which a shared library hides.
  message(STATUS "ebb: unit tests need a static build and are left out")
else()
  # Sanitizers have an allocator of their own, which cannot be made to fail.
  set(failures failures)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    set(failures)
  endif()
  foreach(folder IN ITEMS autodiff data nn optim tools ${failures})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS tests/${folder}/*_test.cpp)
    set(lanes)
    if(folder STREQUAL autodiff)
      set(lanes ${sources})
      list(FILTER lanes INCLUDE REGEX "/(formula|kernels)/|/fuse|/custom|/sums|/registry")
    endif()
    if(ebb_thread_sanitizer)
      # Its tree is that of clang: besides threads, the tests of what users compile themselves.
      if(NOT folder STREQUAL nn)
        ebb_keep_files_with(sources "TEST_SUITE\\(.*threads")
      endif()
      list(APPEND sources ${lanes})
      set_source_files_properties(${lanes} PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
    elseif(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      # Numbers of lanes alone, which read no memory but their own; they take minutes to compile.
      list(FILTER sources EXCLUDE REGEX "/formula/")
    endif()
    if(NOT sources)
      continue()
    endif()
    ebb_many_lanes(${sources})
    set(program ${folder}_tests)
    ebb_add_program(${program} SOURCES ${sources} tests/main.cpp
      LIBRARIES doctest::doctest $<$<STREQUAL:${folder},tools>:ebb::plot>)
    target_compile_definitions(${program} PRIVATE EBB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=address,undefined")
      # What they call is looked at; their own code would take a fifth longer.
      target_compile_options(${program} PRIVATE -fno-sanitize=undefined)
    endif()
    if(folder STREQUAL autodiff)
      # Lanes and formulas are tested as users compile them, the rest as below.
      set(plain ${sources})
      list(REMOVE_ITEM plain ${lanes})
      set_property(SOURCE ${plain} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
    else()
      # Most of the time of a build goes into templates of tests; what takes time in a run is in the
      # library, which is optimised by itself.
      target_compile_options(${program} PRIVATE
        $<$<CONFIG:Release>:-O1> $<$<CONFIG:Debug>:-O0>)
    endif()
    if(ebb_thread_sanitizer AND NOT folder MATCHES "autodiff|nn")
      ebb_add_test(${folder}_threads COMMAND ${program} "-ts=*threads*")
      continue()
    endif()
    ebb_add_test(${program} COMMAND ${program})
    if(folder STREQUAL autodiff)
      add_test(NAME autodiff_kernels_unknown COMMAND ${program} "-sf=*custom_test*")
      set_tests_properties(autodiff_kernels_unknown PROPERTIES ENVIRONMENT EBB_ISA=sse9
        PASS_REGULAR_EXPRESSION "EBB_ISA=sse9: unknown instruction set; use sse2, avx2 or avx512")
      set(isas sse2)
      if(EBB_HAS_AVX2)
        list(APPEND isas avx2)
      endif()
      foreach(isa IN LISTS isas)
        ebb_add_test(autodiff_kernels_${isa}
          COMMAND ${program} -ts=kernels ENVIRONMENT EBB_ISA=${isa})
      endforeach()
    endif()
  endforeach()
endif()

if(TARGET ebb_gradbench AND NOT BUILD_SHARED_LIBS AND NOT ebb_thread_sanitizer)
  file(GLOB sources CONFIGURE_DEPENDS tests/gradbench/*_test.cpp)
  ebb_add_program(gradbench_tests SOURCES ${sources} tests/main.cpp
    LIBRARIES doctest::doctest ebb_gradbench_modules)
  target_compile_options(gradbench_tests PRIVATE $<$<CONFIG:Release>:-O1>)
  ebb_add_test(gradbench_tests COMMAND gradbench_tests)
  add_test(NAME gradbench COMMAND "${PROJECT_SOURCE_DIR}/tests/gradbench.sh" "${PROJECT_BINARY_DIR}")
endif()

if(TARGET ebb_sqlite AND NOT ebb_thread_sanitizer)
  ebb_add_program(sqlite_tests SOURCES tests/sqlite/sqlite_test.cpp tests/main.cpp
    LIBRARIES doctest::doctest ebb::sqlite SQLite::SQLite3)
  target_compile_definitions(sqlite_tests PRIVATE EBB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  ebb_add_test(sqlite_tests COMMAND sqlite_tests)
endif()

if(NOT ebb_thread_sanitizer)
  foreach(name IN LISTS ebb_examples)
    add_test(NAME example_${name} COMMAND ${name})
    set_tests_properties(example_${name} PROPERTIES
      WORKING_DIRECTORY "${PROJECT_BINARY_DIR}" TIMEOUT 600)
  endforeach()
  if(ebb_examples)
    add_test(NAME examples
      COMMAND "${PROJECT_SOURCE_DIR}/tests/examples.sh" "${PROJECT_BINARY_DIR}")
    set_tests_properties(examples PROPERTIES TIMEOUT 600)
  endif()
  add_test(NAME packages COMMAND "${PROJECT_SOURCE_DIR}/tests/packages.sh")
  add_test(NAME bench COMMAND "${PROJECT_SOURCE_DIR}/tests/bench.sh")
  add_test(NAME setup COMMAND "${PROJECT_SOURCE_DIR}/tests/setup.sh")
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT BUILD_SHARED_LIBS)
    add_test(NAME samples COMMAND "${PROJECT_SOURCE_DIR}/tests/samples.sh" "${CMAKE_CXX_COMPILER}"
      "$<TARGET_FILE:ebb>" "${EbbOpenBLAS_LIBRARY}")
    add_test(NAME recipes COMMAND "${PROJECT_SOURCE_DIR}/tests/recipes.sh" "${CMAKE_CXX_COMPILER}"
      "$<TARGET_FILE:ebb>" "${EbbOpenBLAS_LIBRARY}")
    add_test(NAME mistakes COMMAND "${PROJECT_SOURCE_DIR}/tests/mistakes.sh" "${CMAKE_CXX_COMPILER}"
      "$<TARGET_FILE:ebb>" "${EbbOpenBLAS_LIBRARY}")
    add_test(NAME readme COMMAND "${PROJECT_SOURCE_DIR}/tests/readme.sh" "${CMAKE_CXX_COMPILER}"
      "$<TARGET_FILE:ebb>" "${EbbOpenBLAS_LIBRARY}" "$<TARGET_FILE:ebb_plot>")
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_test(NAME units
      COMMAND "${PROJECT_SOURCE_DIR}/tests/units.sh" "${CMAKE_CXX_COMPILER}")
  endif()
  if(TARGET ebb_ops)
    add_test(NAME ops
      COMMAND "${PROJECT_SOURCE_DIR}/tests/ops.sh" "${CMAKE_COMMAND}" "${PROJECT_BINARY_DIR}")
  endif()
  add_test(NAME layering COMMAND "${PROJECT_SOURCE_DIR}/tests/layering.sh" includes)
endif()
