# SPDX-License-Identifier: BSD-3-Clause
# What every target of this project shares. Nothing here reaches a user's command line.

set(EBB_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)

# g++ in C++20 mode takes xtensor 0.24's dynamic shape for a fixed rank; this flag mends it.
set(EBB_XTENSOR_FLAGS "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-new-ttp-matching>")

# Language mode, warnings and code generation of ebb's own targets.
function(ebb_own_target target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20
    CXX_STANDARD_REQUIRED ON
    CXX_EXTENSIONS OFF
    DEFINE_SYMBOL ""  # objects of a shared and of a static library are the same
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    ${EBB_WARNINGS} $<$<BOOL:${EBB_WERROR}>:-Werror>
    -ffp-contract=off -fno-math-errno -fno-semantic-interposition -ffunction-sections -fdata-sections
    # Otherwise each look at a thread's tape or pool counts as a call, and saves every register.
    -ftls-model=initial-exec
    # A small step is bound by the fetch of instructions: this way no function's speed depends on
    # what stands before it, up to a tenth of the step.
    -falign-functions=64
    "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
endfunction()

# Finds the sources that have formulas, or lanes: they make thousands of small numbers. The address
# sanitizer does not mark where the scope of each of them ends, which would take four times as long
# to compile.
function(ebb_many_lanes)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=address")
    return()
  endif()
  foreach(file IN LISTS ARGN)
    file(STRINGS "${file}" found LIMIT_COUNT 1
      REGEX "ebb/autodiff/(fuse|custom|formula_check|registry|formula/[a-z_]*)[.]hpp")
    if(found)
      set_property(SOURCE "${file}" APPEND PROPERTY
        COMPILE_OPTIONS -fno-sanitize-address-use-after-scope)
    endif()
  endforeach()
endfunction()

# Compiles one kernel source for each instruction set and element type and adds the objects to
# `library`. The functions are chosen at run time, so each unit may use only its own instructions;
# optimisation is never off, or inline functions would be emitted with instructions that the
# linker could then pick for the whole program.
function(ebb_add_kernels library source)
  set(flags_sse2)
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512cd -mavx512vl
    -mprefer-vector-width=512)
  foreach(isa IN ITEMS sse2 avx2 avx512)
    foreach(type IN ITEMS float double)
      set(kernels ebb_kernels_${isa}_${type})
      add_library(${kernels} OBJECT ${source})
      ebb_own_target(${kernels})
      target_compile_definitions(${kernels} PRIVATE EBB_KERNEL_ISA=${isa} EBB_KERNEL_TYPE=${type})
      target_compile_options(${kernels} PRIVATE
        ${flags_${isa}} $<$<NOT:$<CONFIG:Release,RelWithDebInfo>>:-O2>
        # Instrumented, one of these takes longer to compile than all the rest.
        -fno-sanitize=all)
      target_include_directories(${kernels} PRIVATE "${PROJECT_SOURCE_DIR}/include")
      target_sources(${library} PRIVATE $<TARGET_OBJECTS:${kernels}>)
    endforeach()
  endforeach()
endfunction()
