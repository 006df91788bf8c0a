# spimstitch_add_plugin(NAME SOURCES file... [LIBRARIES target...])
#
# Builds the shared library NAME.so as a spimstitch plugin: C++20, hidden symbols, one export, never unloaded,
# no undefined symbols. Installs it where the spimstitch of the same prefix looks for it: with
# `cmake --install BUILD --prefix PREFIX`, or in the folder SPIMSTITCH_PLUGIN_INSTALL_DIR (relative to the
# prefix, or absolute).
set(SPIMSTITCH_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

function(spimstitch_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "usage: spimstitch_add_plugin(NAME SOURCES file... [LIBRARIES target...])")
  endif()
  add_library(${name} MODULE ${arg_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE spimstitch::sdk ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                        POSITION_INDEPENDENT_CODE ON LINK_DEPENDS ${SPIMSTITCH_CMAKE_DIR}/plugin.map)
  if(SPIMSTITCH_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${SPIMSTITCH_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  # A library that ran OpenMP, or whose exceptions are still alive, must not be unloaded.
  target_link_options(${name} PRIVATE -Wl,-z,nodelete -Wl,--version-script=${SPIMSTITCH_CMAKE_DIR}/plugin.map)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT SPIMSTITCH_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)  # does not link with clang's AddressSanitizer
  endif()
  set(folder ${SPIMSTITCH_PLUGIN_SUBDIR})
  if(SPIMSTITCH_PLUGIN_INSTALL_DIR)
    set(folder ${SPIMSTITCH_PLUGIN_INSTALL_DIR})
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${folder})
endfunction()
