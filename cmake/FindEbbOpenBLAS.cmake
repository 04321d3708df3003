# SPDX-License-Identifier: BSD-3-Clause
# Finds OpenBLAS itself, never whatever libblas happens to be, and defines ebb::openblas.
# Used by the build and, installed beside ebbConfig.cmake, by every project that uses ebb.
# Set OpenBLAS_ROOT or CMAKE_PREFIX_PATH if it lies in an unusual place.

include(FindPackageHandleStandardArgs)
include(CheckCXXSourceCompiles)
include(CMakePushCheckState)

set(ebb_openblas_suffixes openblas openblas-pthread openblas-openmp openblas-serial)
if(CMAKE_LIBRARY_ARCHITECTURE)
  list(TRANSFORM ebb_openblas_suffixes PREPEND "${CMAKE_LIBRARY_ARCHITECTURE}/"
    OUTPUT_VARIABLE ebb_openblas_multiarch)
  list(APPEND ebb_openblas_suffixes ${ebb_openblas_multiarch})
endif()

# The plain place first: on Debian it is the administrator's choice among the variants.
find_library(EbbOpenBLAS_LIBRARY NAMES openblas
  HINTS ${OpenBLAS_ROOT} $ENV{OpenBLAS_ROOT} PATH_SUFFIXES lib)
find_library(EbbOpenBLAS_LIBRARY NAMES openblas PATH_SUFFIXES ${ebb_openblas_suffixes})
# Only the build of ebb includes the header. OpenBLAS's own folder comes first, for the cblas.h in
# a common one may belong to another BLAS.
find_path(EbbOpenBLAS_INCLUDE_DIR NAMES openblas_config.h
  HINTS ${OpenBLAS_ROOT} $ENV{OpenBLAS_ROOT} PATH_SUFFIXES ${ebb_openblas_suffixes} include)
mark_as_advanced(EbbOpenBLAS_LIBRARY EbbOpenBLAS_INCLUDE_DIR)

if(EbbOpenBLAS_LIBRARY)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_LIBRARIES "${EbbOpenBLAS_LIBRARY}")
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_source_compiles("
    extern \"C\" void openblas_set_num_threads(int);
    extern \"C\" void cblas_dgemm();
    extern \"C\" void dgesdd_();
    int main() { openblas_set_num_threads(1); return &cblas_dgemm == &dgesdd_; }"
    EbbOpenBLAS_IS_OPENBLAS)
  cmake_pop_check_state()
  if(NOT EbbOpenBLAS_IS_OPENBLAS)
    # Look again next time: the user may install another one meanwhile.
    unset(EbbOpenBLAS_IS_OPENBLAS CACHE)
  endif()
endif()

find_package_handle_standard_args(EbbOpenBLAS
  REQUIRED_VARS EbbOpenBLAS_LIBRARY EbbOpenBLAS_IS_OPENBLAS
  REASON_FAILURE_MESSAGE
    "ebb needs OpenBLAS with CBLAS and LAPACK (Debian: libopenblas-dev). Set OpenBLAS_ROOT if it is installed in an unusual place.")

if(EbbOpenBLAS_FOUND AND NOT TARGET ebb::openblas)
  add_library(ebb::openblas UNKNOWN IMPORTED)
  set_target_properties(ebb::openblas PROPERTIES IMPORTED_LOCATION "${EbbOpenBLAS_LIBRARY}")
  if(EbbOpenBLAS_INCLUDE_DIR)
    set_target_properties(ebb::openblas PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES "${EbbOpenBLAS_INCLUDE_DIR}")
  endif()
endif()
