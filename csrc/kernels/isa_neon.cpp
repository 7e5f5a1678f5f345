// The kernels for aarch64 (NEON), whose vectors have 16 bytes.
#define LAMINA_ISA_NAME "neon"
#define LAMINA_ISA_NAMESPACE isa_neon
#define LAMINA_ISA_TABLE table_neon
#define LAMINA_VECTOR_BYTES 16
#include "kernels/kernels.inc"
