# lamina_add_kernels(<name> [USES <layer>...]): the kernels' library. Its isa_<set>.cpp files are the same code compiled for
# one instruction set each; LAMINA_HAVE_ISA_<SET> tells the dispatcher which of them exist.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceRuns)

# Sets `enabled` and `flags` for an instruction set, by the target processor and what the compiler knows.
function(lamina_isa_support isa enabled flags)
  set(${enabled} FALSE PARENT_SCOPE)
  set(${flags} "" PARENT_SCOPE)
  if(isa STREQUAL "base")
    set(${enabled} TRUE PARENT_SCOPE)
  elseif(isa STREQUAL "neon" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(${enabled} TRUE PARENT_SCOPE)
  elseif(isa MATCHES "^v[34]$" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    check_cxx_compiler_flag(-march=x86-64-${isa} LAMINA_COMPILER_HAS_${isa})
    set(${enabled} ${LAMINA_COMPILER_HAS_${isa}} PARENT_SCOPE)
    set(${flags} -march=x86-64-${isa} PARENT_SCOPE)
    if(LAMINA_NATIVE_ONLY AND isa STREQUAL "v4")
      check_cxx_source_runs("int main() { return !__builtin_cpu_supports(\"avx512bw\"); }" LAMINA_CPU_HAS_${isa})
      set(${enabled} ${LAMINA_CPU_HAS_${isa}} PARENT_SCOPE)
    endif()
  endif()
endfunction()

macro(lamina_add_kernels name)
  cmake_parse_arguments(LAYER "" "" "USES" ${ARGN})
  lamina_find_compiled(${name} "${LAYER_USES}" compiled)
  if(compiled)
    lamina_add_imported_layer(${name} "${compiled}" "${LAYER_USES}")
  else()
    lamina_compile_kernels(${name})
  endif()
endmacro()

macro(lamina_compile_kernels name)
  set(directory "${PROJECT_SOURCE_DIR}/csrc/${name}")
  file(GLOB LAYER_SOURCES CONFIGURE_DEPENDS "${directory}/*.cpp")
  list(FILTER LAYER_SOURCES EXCLUDE REGEX "/isa_[a-z0-9]+(_[a-z0-9_]+)?\\.cpp$")

  set(isa_definitions "")
  foreach(isa base v3 v4 neon)
    # A large family may live in a file of its own beside the set's main one: isa_v3.cpp, isa_v3_matmul.cpp.
    file(GLOB isa_sources CONFIGURE_DEPENDS "${directory}/isa_${isa}.cpp" "${directory}/isa_${isa}_*.cpp")
    lamina_isa_support(${isa} enabled flags)
    if(LAMINA_SANITIZE STREQUAL "thread" AND NOT isa STREQUAL "base")
      # How work is cut for threads does not depend on the set, and of this one alone the sanitizer sees each access:
      # masked and streaming ones are the compiler's built-ins, broadcast ones lie in assembly.
      set(enabled FALSE)
    endif()
    if(isa_sources AND enabled)
      list(APPEND LAYER_SOURCES ${isa_sources})
      set_source_files_properties(${isa_sources} PROPERTIES COMPILE_OPTIONS "${flags}")
      string(TOUPPER ${isa} upper)
      list(APPEND isa_definitions LAMINA_HAVE_ISA_${upper})
    endif()
  endforeach()

  lamina_add_layer_library(${name} "${LAYER_SOURCES}" "${LAYER_USES}")
  if(LAYER_SOURCES)
    # Never -ffast-math: it lets the compiler reorder the error-free transformations, and when linked it switches
    # subnormal numbers off for the whole process. Link-time optimisation would mix code of different instruction sets.
    # Instrumented, -O3 compiles four times as long as -O1 and finds nothing more; but GCC must fuse multiplications with
    # additions there, too, which it does not do at -O1: all paths of a product give the same bits.
    target_compile_options(lamina_${name} PRIVATE $<IF:$<BOOL:${LAMINA_SANITIZE}>,-O1,-O3>)
    if(LAMINA_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(lamina_${name} PRIVATE -fexpensive-optimizations)
    endif()
    target_compile_options(lamina_${name} PRIVATE -fno-math-errno -fno-trapping-math -ffp-contract=fast
                                                  -fno-exceptions -fno-rtti -Wno-psabi)
    target_compile_definitions(lamina_${name} PRIVATE ${isa_definitions})
    set_target_properties(lamina_${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  endif()
endmacro()
