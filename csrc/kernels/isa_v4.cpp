// The kernels for x86-64-v4 (AVX-512), whose vectors have 64 bytes.
#define LAMINA_ISA_NAME "v4"
#define LAMINA_ISA_NAMESPACE isa_v4
#define LAMINA_ISA_TABLE table_v4
#define LAMINA_VECTOR_BYTES 64
#include "kernels/kernels.inc"
