# The extension module lamina._core: all of csrc/bindings, linked with every layer.
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 3.1 CONFIG REQUIRED)

file(GLOB binding_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/bindings/*.cpp")
pybind11_add_module(_core MODULE NO_EXTRAS ${binding_sources})
target_link_libraries(_core PRIVATE ${LAMINA_LAYERS})
install(TARGETS _core LIBRARY DESTINATION lamina COMPONENT python)
