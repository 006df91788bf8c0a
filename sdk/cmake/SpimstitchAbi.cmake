# Sets SPIMSTITCH_ABI to the number in spim/plugin.hpp: one source for code, folder names and packages.
find_file(SPIMSTITCH_PLUGIN_HPP spim/plugin.hpp
          PATHS ${CMAKE_CURRENT_LIST_DIR}/../../framework/include      # source tree
                ${CMAKE_CURRENT_LIST_DIR}/../../../include             # <prefix>/lib*/cmake/spimstitch
                ${CMAKE_CURRENT_LIST_DIR}/../../../../include          # <prefix>/lib/<triplet>/cmake/spimstitch
          NO_DEFAULT_PATH NO_CACHE REQUIRED)
file(STRINGS ${SPIMSTITCH_PLUGIN_HPP} _spimstitch_abi_line REGEX "kAbi = [0-9]+")
string(REGEX REPLACE ".*kAbi = ([0-9]+).*" "\\1" SPIMSTITCH_ABI "${_spimstitch_abi_line}")
