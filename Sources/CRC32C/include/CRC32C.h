#ifndef HOLDFAST_CRC32C_H
#define HOLDFAST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4) of `length` bytes, continuing from `crc`; start with 0.
/// `bytes` may be null when `length` is 0. Uses SSE4.2 and PCLMULQDQ where the processor has them.
uint32_t holdfast_crc32c(uint32_t crc, const void *bytes, size_t length);

/// The same by tables, on any processor; for tests and as the fallback.
uint32_t holdfast_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

/// Whether `holdfast_crc32c` runs on the processor's own instructions.
int holdfast_crc32c_is_hardware(void);

#endif
