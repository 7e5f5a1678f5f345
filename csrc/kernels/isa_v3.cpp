// The kernels for x86-64-v3 (AVX2, FMA), whose vectors have 32 bytes.
#define LAMINA_ISA_NAME "v3"
#define LAMINA_ISA_NAMESPACE isa_v3
#define LAMINA_ISA_TABLE table_v3
#define LAMINA_VECTOR_BYTES 32
#include "kernels/kernels.inc"
