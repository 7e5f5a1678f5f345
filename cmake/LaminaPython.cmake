# The extension module lamina._core: all of csrc/bindings, linked with every layer.
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 3.1 CONFIG REQUIRED)

# Only the module's own file sees pybind11, which lies elsewhere in every isolated build: a second one compiles that file.
set(module_source "${PROJECT_SOURCE_DIR}/csrc/bindings/module.cpp")
file(GLOB binding_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/bindings/*.cpp")
list(REMOVE_ITEM binding_sources "${module_source}")
add_library(lamina_bindings OBJECT ${binding_sources})
target_link_libraries(lamina_bindings PUBLIC ${LAMINA_LAYERS} Python::Module)
lamina_precompile_headers(lamina_bindings)

pybind11_add_module(_core MODULE NO_EXTRAS "${module_source}")
target_link_libraries(_core PRIVATE lamina_bindings)
install(TARGETS _core LIBRARY DESTINATION lamina COMPONENT python)
