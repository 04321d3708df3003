# SPDX-License-Identifier: BSD-3-Clause
# Installation: headers, library, the `ebb` program, and what find_package and pkg-config read.

include(CMakePackageConfigHelpers)
set(ebb_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ebb")
set(ebb_pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES ebb.hpp xtensor.hpp DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ebb")
install(DIRECTORY autodiff data nn optim DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ebb"
  FILES_MATCHING PATTERN "*.hpp" PATTERN mutant.hpp EXCLUDE)
install(TARGETS ebb EXPORT ebbTargets)
install(TARGETS ebb_xtensor EXPORT ebbXtensorTargets)
install(FILES tools/plot/plot.hpp tools/plot/figure.hpp tools/plot/training.hpp
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ebb/tools/plot")
install(TARGETS ebb_plot EXPORT ebbPlotTargets)
install(EXPORT ebbPlotTargets NAMESPACE ebb:: DESTINATION "${ebb_cmake_dir}")
if(TARGET ebb_sqlite)
  install(TARGETS ebb_sqlite EXPORT ebbSqliteTargets)
  install(EXPORT ebbSqliteTargets NAMESPACE ebb:: DESTINATION "${ebb_cmake_dir}")
endif()
if(TARGET ebb_program)
  install(TARGETS ebb_program)
endif()

# An export each: only ebb::xtensor needs xtensor on the user's machine, only ebb::sqlite SQLite.
install(EXPORT ebbTargets NAMESPACE ebb:: DESTINATION "${ebb_cmake_dir}")
install(EXPORT ebbXtensorTargets NAMESPACE ebb:: DESTINATION "${ebb_cmake_dir}")
configure_package_config_file(cmake/ebbConfig.cmake.in "${PROJECT_BINARY_DIR}/ebbConfig.cmake"
  INSTALL_DESTINATION "${ebb_cmake_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ebbConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/ebbConfig.cmake"
  "${PROJECT_BINARY_DIR}/ebbConfigVersion.cmake" cmake/FindEbbOpenBLAS.cmake
  cmake/FindEbbCompression.cmake DESTINATION "${ebb_cmake_dir}")

# pkg-config. The prefix is relative to the file, so an installed tree may be moved.
function(ebb_under_prefix result directory)
  if(IS_ABSOLUTE "${directory}")
    set(${result} "${directory}" PARENT_SCOPE)
  else()
    set(${result} "\${prefix}/${directory}" PARENT_SCOPE)
  endif()
endfunction()
ebb_under_prefix(EBB_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
ebb_under_prefix(EBB_PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${ebb_pkgconfig_dir}")
  set(EBB_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/${ebb_pkgconfig_dir}" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(EBB_PC_PREFIX "\${pcfiledir}/${up}")
endif()
# The loader and the linker look in some places anyway; for libraries elsewhere a -L is needed.
function(ebb_library_directories result)
  set(flags)
  foreach(library IN LISTS ARGN)
    cmake_path(GET ${library} PARENT_PATH directory)
    if(NOT directory IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      string(APPEND flags "-L${directory} ")
    endif()
  endforeach()
  set(${result} "${flags}" PARENT_SCOPE)
endfunction()
ebb_library_directories(needed EbbOpenBLAS_LIBRARY EbbCompression_ZIP_LIBRARY
  EbbCompression_ZLIB_LIBRARY)
string(APPEND needed
  "-lopenblas -Wl,--push-state,--as-needed -lzip -lz -Wl,--pop-state -pthread")
# A static ebb cannot be linked without these, with or without `pkg-config --static`. Requires is no
# help: openblas.pc asks for -lgfortran, which a C++ compiler alone does not have.
set(EBB_PC_LIBS "-lebb")
set(EBB_PC_LIBS_PRIVATE)
if(BUILD_SHARED_LIBS)
  set(EBB_PC_LIBS_PRIVATE "${needed}")
else()
  string(APPEND EBB_PC_LIBS " -Wl,--gc-sections ${needed}")
endif()
configure_file(cmake/ebb.pc.in "${PROJECT_BINARY_DIR}/ebb.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/ebb.pc" DESTINATION "${ebb_pkgconfig_dir}")

configure_file(cmake/ebb-plot.pc.in "${PROJECT_BINARY_DIR}/ebb-plot.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/ebb-plot.pc" DESTINATION "${ebb_pkgconfig_dir}")

if(TARGET ebb_sqlite)
  ebb_library_directories(needed SQLite3_LIBRARY)
  string(APPEND needed "-lsqlite3")
  set(EBB_PC_LIBS "-lebb_sqlite")
  set(EBB_PC_LIBS_PRIVATE)
  if(BUILD_SHARED_LIBS)
    set(EBB_PC_LIBS_PRIVATE "${needed}")
  else()
    string(APPEND EBB_PC_LIBS " ${needed}")
  endif()
  configure_file(cmake/ebb-sqlite.pc.in "${PROJECT_BINARY_DIR}/ebb-sqlite.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/ebb-sqlite.pc" DESTINATION "${ebb_pkgconfig_dir}")
endif()
