# SPDX-License-Identifier: BSD-3-Clause
# Programs beside the library: the `ebb` program, examples, benchmarks, tests.

function(ebb_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  ebb_own_target(${name})
  target_link_libraries(${name} PRIVATE ebb::ebb ebb::xtensor Threads::Threads ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

if(EBB_TOOLS)
  file(GLOB sources CONFIGURE_DEPENDS tools/*.cpp)
  if(sources)
    find_package(CLI11 REQUIRED)
    ebb_add_program(ebb_program SOURCES ${sources} LIBRARIES CLI11::CLI11)
    set_target_properties(ebb_program PROPERTIES OUTPUT_NAME ebb)
  endif()
  # What the scripts tools/ops and tools/mutate build for themselves; the second one in a tree whose
  # derivatives can be broken.
  find_package(CLI11 REQUIRED)
  ebb_add_program(ebb_ops SOURCES tools/proof/ops.cpp LIBRARIES CLI11::CLI11)
  target_compile_definitions(ebb_ops PRIVATE EBB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set_target_properties(ebb_ops PROPERTIES EXCLUDE_FROM_ALL ON)
  if(CMAKE_CXX_FLAGS MATCHES "-DEBB_MUTATE")
    find_package(nlohmann_json REQUIRED)
    ebb_add_program(ebb_mutate SOURCES tools/proof/mutate.cpp
      LIBRARIES CLI11::CLI11 nlohmann_json::nlohmann_json)
    find_package(doctest REQUIRED)
    # The tests that must see each term of the formulas of a suite.
    foreach(suite optim nn)
      set(tests_optim rules/*_test.cpp minimize/*_test.cpp schedules_test.cpp)
      set(tests_nn metrics/*_test.cpp layers/*_test.cpp initialisation_test.cpp losses_test.cpp)
      list(TRANSFORM tests_${suite} PREPEND tests/${suite}/)
      file(GLOB sources CONFIGURE_DEPENDS ${tests_${suite}})
      ebb_add_program(ebb_mutate_${suite} SOURCES ${sources} tests/main.cpp tools/proof/term.cpp
        LIBRARIES doctest::doctest)
      target_compile_definitions(ebb_mutate_${suite} PRIVATE EBB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endforeach()
  endif()
endif()

if(EBB_EXAMPLES)
  find_package(CLI11 REQUIRED)
  set(ebb_examples)
  file(GLOB sources CONFIGURE_DEPENDS examples/*.cpp)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    ebb_add_program(${name} SOURCES ${source} LIBRARIES CLI11::CLI11 ebb::plot)
    target_compile_definitions(${name} PRIVATE
      EBB_EXAMPLE_DATA="${PROJECT_SOURCE_DIR}/examples/data")
    # What takes time is in the library.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    list(APPEND ebb_examples ${name})
  endforeach()
endif()

if(EBB_BENCHMARKS)
  file(GLOB sources CONFIGURE_DEPENDS tools/benchmarks/*.cpp tools/benchmarks/ad/*.cpp)
  file(GLOB limits CONFIGURE_DEPENDS
    tools/benchmarks/limits/*.cpp tools/benchmarks/limits/ad/*.cpp)
  if(sources)
    find_package(benchmark REQUIRED)
    find_package(nlohmann_json REQUIRED)
    ebb_add_program(ebb_bench SOURCES ${sources} ${limits}
      LIBRARIES benchmark::benchmark nlohmann_json::nlohmann_json ebb::openblas)
    # The limits are what this machine can do at best, hence every instruction it has, or those of
    # the instruction set that EBB_ISA limits ebb to.
    set(EBB_LIMITS_ARCHITECTURE native CACHE STRING "What the limits of the benchmarks may use")
    mark_as_advanced(EBB_LIMITS_ARCHITECTURE)
    set_source_files_properties(${limits} PROPERTIES
      COMPILE_OPTIONS "-O3;-march=${EBB_LIMITS_ARCHITECTURE}")
    # Plain loops, for which the compiler may join a product and a sum, as it does unasked.
    file(GLOB loops CONFIGURE_DEPENDS tools/benchmarks/limits/ad/*.cpp)
    set_property(SOURCE ${loops} APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=fast)
    set_source_files_properties(tools/benchmarks/main.cpp PROPERTIES
      COMPILE_DEFINITIONS EBB_LIMITS_ARCHITECTURE="${EBB_LIMITS_ARCHITECTURE}")
    set_source_files_properties(tools/benchmarks/cases_minimize.cpp PROPERTIES
      COMPILE_DEFINITIONS EBB_EXAMPLE_DATA="${PROJECT_SOURCE_DIR}/examples/data")
    # A formula of the user's is compiled with the user's flags.
    set_source_files_properties(
      tools/benchmarks/cases_fuse.cpp tools/benchmarks/ad/bundle.cpp tools/benchmarks/ad/kmeans.cpp
      tools/benchmarks/ad/lstm.cpp tools/benchmarks/ad/ode.cpp PROPERTIES
      COMPILE_OPTIONS "-O3;-march=x86-64-v3")
  endif()
endif()

# What stands in GradBench's tables, and its tests, which link all but the loop over messages.
if(EBB_BENCHMARKS)
  find_package(nlohmann_json REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS tools/gradbench/*.cpp)
  list(REMOVE_ITEM sources "${PROJECT_SOURCE_DIR}/tools/gradbench/main.cpp")
  add_library(ebb_gradbench_modules STATIC ${sources})
  ebb_own_target(ebb_gradbench_modules)
  target_link_libraries(ebb_gradbench_modules PUBLIC ebb::ebb nlohmann_json::nlohmann_json)
  ebb_add_program(ebb_gradbench SOURCES tools/gradbench/main.cpp LIBRARIES ebb_gradbench_modules)
endif()

# What tools/bench --peers builds.
if(EBB_PEERS)
  find_package(Torch QUIET)
  if(Torch_FOUND)
    find_package(nlohmann_json REQUIRED)
    file(GLOB sources CONFIGURE_DEPENDS tools/benchmarks/peers/*.cpp)
    list(TRANSFORM TORCH_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE flags)
    list(JOIN flags " " flags)
    set(libraries "$<TARGET_FILE:torch> $<TARGET_FILE:torch_cpu> $<TARGET_FILE:c10>")
    # OpenBLAS comes before libtorch, which then takes its products from it, and not from the
    # libblas of the machine.
    ebb_add_program(ebb_peers SOURCES ${sources}
      tools/benchmarks/bench.cpp tools/benchmarks/programs.cpp tools/benchmarks/table.cpp
      LIBRARIES nlohmann_json::nlohmann_json ebb::openblas ${TORCH_LIBRARIES} ${CMAKE_DL_LIBS})
    set_target_properties(ebb_peers PROPERTIES EXCLUDE_FROM_ALL ON)
    set_source_files_properties(tools/benchmarks/peers/cases_programs.cpp PROPERTIES
      COMPILE_DEFINITIONS "EBB_TORCH_FLAGS=\"${flags}\";EBB_TORCH_LIBRARIES=\"${libraries}\"")
  else()
    message(STATUS
      "ebb: the benchmarks beside libtorch are left out, for it was not found (Debian: libtorch-dev)")
  endif()
endif()

if(EBB_TESTS)
  enable_testing()
  include(EbbTests)
endif()
