# SPDX-License-Identifier: BSD-3-Clause
# Finds libzip and zlib, and defines ebb::compression. Used by the build and, installed beside
# ebbConfig.cmake, by every project that links a static ebb. libzip's own configuration is of no use
# where its tools are not installed (Debian 12). A program that reads no compressed file must not
# load these libraries and what they need in turn, hence --as-needed.

include(FindPackageHandleStandardArgs)

find_library(EbbCompression_ZIP_LIBRARY NAMES zip)
find_library(EbbCompression_ZLIB_LIBRARY NAMES z)
# Only the build of ebb includes the headers.
find_path(EbbCompression_ZIP_INCLUDE_DIR NAMES zip.h)
find_path(EbbCompression_ZLIB_INCLUDE_DIR NAMES zlib.h)
mark_as_advanced(EbbCompression_ZIP_LIBRARY EbbCompression_ZLIB_LIBRARY
  EbbCompression_ZIP_INCLUDE_DIR EbbCompression_ZLIB_INCLUDE_DIR)

find_package_handle_standard_args(EbbCompression
  REQUIRED_VARS EbbCompression_ZIP_LIBRARY EbbCompression_ZLIB_LIBRARY
  REASON_FAILURE_MESSAGE
    "ebb needs libzip and zlib (Debian: libzip-dev, zlib1g-dev). Set CMAKE_PREFIX_PATH if they are installed in an unusual place.")

if(EbbCompression_FOUND AND NOT TARGET ebb::compression)
  add_library(ebb::compression INTERFACE IMPORTED)
  # One item, so that nothing comes between the flags.
  set_target_properties(ebb::compression PROPERTIES INTERFACE_LINK_LIBRARIES
    "-Wl,--push-state,--as-needed,${EbbCompression_ZIP_LIBRARY},${EbbCompression_ZLIB_LIBRARY},--pop-state")
  if(EbbCompression_ZIP_INCLUDE_DIR AND EbbCompression_ZLIB_INCLUDE_DIR)
    set_target_properties(ebb::compression PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
      "${EbbCompression_ZIP_INCLUDE_DIR};${EbbCompression_ZLIB_INCLUDE_DIR}")
  endif()
endif()
