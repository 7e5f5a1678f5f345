// The kernels for any CPU (SSE2 on x86-64), whose vectors have 16 bytes.
#define LAMINA_ISA_NAME "base"
#define LAMINA_ISA_NAMESPACE isa_base
#define LAMINA_ISA_TABLE table_base
#define LAMINA_VECTOR_BYTES 16
#include "kernels/kernels.inc"
