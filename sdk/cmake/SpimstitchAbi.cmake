# Sets SPIMSTITCH_ABI to the number in spim/plugin.hpp (one source for code, folder names and the package) and
# SPIMSTITCH_ABI_SINCE to the first version of spimstitch that had it.
set(_spimstitch_plugin_hpp ${CMAKE_CURRENT_LIST_DIR}/../../framework/include/spim/plugin.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_spimstitch_plugin_hpp})
file(STRINGS ${_spimstitch_plugin_hpp} _spimstitch_abi_line REGEX "kAbi = [0-9]+")
string(REGEX REPLACE ".*kAbi = ([0-9]+).*" "\\1" SPIMSTITCH_ABI "${_spimstitch_abi_line}")

# The first version with each ABI number: the history of sdk/ABI.md, for the package's version file.
set(_spimstitch_abi_1_since 0.1.0)

set(SPIMSTITCH_ABI_SINCE ${_spimstitch_abi_${SPIMSTITCH_ABI}_since})
if(NOT SPIMSTITCH_ABI_SINCE)
  message(FATAL_ERROR "kAbi is ${SPIMSTITCH_ABI}, but sdk/cmake/SpimstitchAbi.cmake does not say which version "
                      "brings it; add _spimstitch_abi_${SPIMSTITCH_ABI}_since there and a row to sdk/ABI.md")
endif()
