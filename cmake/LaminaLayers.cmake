# lamina_add_layer(<name> [USES <layer>...]): the library lamina_<name> of all sources in csrc/<name>. Where
# LAMINA_COMPILED_LAYERS has one that another build has made, that is taken as long as no source is newer.

# What every source of ours is compiled and linked with.
add_library(lamina_options INTERFACE)
target_include_directories(lamina_options INTERFACE "${PROJECT_SOURCE_DIR}/csrc")
target_compile_options(lamina_options INTERFACE -Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Says that "text" + std::string overlaps itself: GCC bug 105651.
  target_compile_options(lamina_options INTERFACE -Wno-restrict)
endif()
if(LAMINA_WERROR)
  target_compile_options(lamina_options INTERFACE -Werror)
endif()
if(LAMINA_SANITIZE)
  list(JOIN LAMINA_SANITIZE "," sanitizers)
  # Where null and wrapped pointers are followed and objects overrun, the address sanitizer sees it; checked twice, they
  # double compile times.
  set(sanitizer_flags -fsanitize=${sanitizers} -fno-sanitize=null,pointer-overflow,object-size,vptr
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Reports need lines, not variables: -g takes a quarter more time and three times the space of -g1.
  target_compile_options(lamina_options INTERFACE ${sanitizer_flags} -g1)
  target_link_options(lamina_options INTERFACE ${sanitizer_flags})
else()
  # What the extension does not reach is left out of the wheel.
  target_compile_options(lamina_options INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(lamina_options INTERFACE -Wl,--gc-sections)
endif()

# Most of a small file's compile time is the standard library's headers: all layers share them precompiled. A compiler cache
# would keep nothing then, so not with one; that build shows which file forgot an include.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/standard_headers.cpp" CONTENT "")
  add_library(lamina_standard_headers STATIC "${PROJECT_BINARY_DIR}/standard_headers.cpp")
  target_link_libraries(lamina_standard_headers PRIVATE lamina_options)
  target_precompile_headers(lamina_standard_headers PRIVATE
    <algorithm> <cmath> <functional> <map> <memory> <numeric> <optional> <span> <string> <unordered_map> <unordered_set> <vector>)
endif()

# The sources of `target` get the standard headers precompiled.
function(lamina_precompile_headers target)
  if(TARGET lamina_standard_headers)
    target_precompile_headers(${target} REUSE_FROM lamina_standard_headers)
  endif()
endfunction()

set(LAMINA_LAYERS "" CACHE INTERNAL "Libraries of all layers, uppermost first")

# Declares lamina_<name> from `sources`; a layer of headers only becomes an interface library.
function(lamina_add_layer_library name sources uses)
  if(sources)
    add_library(lamina_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(lamina_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  list(TRANSFORM uses PREPEND lamina_)
  target_link_libraries(lamina_${name} ${scope} ${uses} lamina_options)
  set(LAMINA_${name}_SCOPE ${scope} PARENT_SCOPE)
  set(LAMINA_LAYERS lamina_${name} ${LAMINA_LAYERS} CACHE INTERNAL "")
endfunction()

# Sets `library` to what another build has made of a layer; to nothing if a file of it or of what it uses is newer.
function(lamina_find_compiled name uses library)
  set(folders ${name})
  foreach(use IN LISTS uses)
    list(APPEND folders ${LAMINA_${use}_FOLDERS})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  set(LAMINA_${name}_FOLDERS "${folders}" PARENT_SCOPE)
  set(compiled "${LAMINA_COMPILED_LAYERS}/liblamina_${name}.a")
  if(LAMINA_COMPILED_LAYERS AND EXISTS "${compiled}")
    list(TRANSFORM folders REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/csrc/\\1/*")
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/CMakeLists.txt" "${PROJECT_SOURCE_DIR}/cmake/*"
         "${PROJECT_SOURCE_DIR}/csrc/CMakeLists.txt" ${folders})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
    foreach(source IN LISTS sources)
      if("${source}" IS_NEWER_THAN "${compiled}")
        set(compiled "")
        break()
      endif()
    endforeach()
  else()
    set(compiled "")
  endif()
  set(${library} "${compiled}" PARENT_SCOPE)
endfunction()

# Declares lamina_<name>, which is compiled already, in the file `library`.
function(lamina_add_imported_layer name library uses)
  add_library(lamina_${name} STATIC IMPORTED GLOBAL)
  set_target_properties(lamina_${name} PROPERTIES IMPORTED_LOCATION "${library}")
  list(TRANSFORM uses PREPEND lamina_)
  target_link_libraries(lamina_${name} INTERFACE ${uses} lamina_options)
  set(LAMINA_${name}_SCOPE INTERFACE PARENT_SCOPE)
  set(LAMINA_LAYERS lamina_${name} ${LAMINA_LAYERS} CACHE INTERNAL "")
endfunction()

macro(lamina_add_layer name)
  cmake_parse_arguments(LAYER "" "" "USES" ${ARGN})
  lamina_find_compiled(${name} "${LAYER_USES}" compiled)
  if(compiled)
    lamina_add_imported_layer(${name} "${compiled}" "${LAYER_USES}")
  else()
    file(GLOB LAYER_SOURCES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/${name}/*.cpp")
    lamina_add_layer_library(${name} "${LAYER_SOURCES}" "${LAYER_USES}")
    if(LAYER_SOURCES)
      lamina_precompile_headers(lamina_${name})
    endif()
  endif()
endmacro()
