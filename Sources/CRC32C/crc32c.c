#include "CRC32C.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// CRC-32C works on polynomials over GF(2), bit-reflected: bit 31 of a checksum is the coefficient of x^0.
#define POLYNOMIAL 0x82f63b78u

/// Lanes of the hardware path are at most this long; 3 lanes stay within the first-level cache.
#define LANE_BYTE_COUNT_MAX 1024u
#define LANE_WORD_COUNT_MAX (LANE_BYTE_COUNT_MAX / 8u)

/// tables[k][b]: the checksum of byte b followed by k zero bytes.
static uint32_t tables[8][256];

/// shifts[n]: x^(64 n - 33), so that clmul(crc, shifts[n]) folded by one crc32 step moves crc past n words of zeros.
static uint32_t shifts[2 * LANE_WORD_COUNT_MAX + 1];

static int is_hardware;

// Filled before main: a call must never find the tables half made, whatever thread comes first.
__attribute__((constructor)) static void prepare(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1u) ? POLYNOMIAL : 0u);
        }
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 255u];
        }
    }
    uint32_t power = 0x80000000u;  // x^0
    for (int exponent = 1; exponent <= 31; exponent++) {
        power = (power >> 1) ^ ((power & 1u) ? POLYNOMIAL : 0u);
    }
    for (uint32_t words = 1; words <= 2 * LANE_WORD_COUNT_MAX; words++) {
        shifts[words] = power;  // x^(64 words - 33)
        for (int bit = 0; bit < 64; bit++) {
            power = (power >> 1) ^ ((power & 1u) ? POLYNOMIAL : 0u);
        }
    }
#if defined(__x86_64__)
    __builtin_cpu_init();
    is_hardware = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
#endif
}

static inline uint64_t load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

uint32_t holdfast_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    crc = ~crc;
    for (; length >= 8; next += 8, length -= 8) {
        uint64_t word = load_word(next) ^ crc;
        crc = tables[7][word & 255] ^ tables[6][(word >> 8) & 255] ^ tables[5][(word >> 16) & 255]
            ^ tables[4][(word >> 24) & 255] ^ tables[3][(word >> 32) & 255] ^ tables[2][(word >> 40) & 255]
            ^ tables[1][(word >> 48) & 255] ^ tables[0][word >> 56];
    }
    for (; length > 0; next++, length--) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *next) & 255u];
    }
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t moved(uint64_t crc, uint32_t words) {
    __m128i product = _mm_clmulepi64_si128(
        _mm_cvtsi64_si128((long long)crc), _mm_cvtsi32_si128((int)shifts[words]), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/// Three lanes side by side: crc32 takes three cycles but one can start each cycle. Lane lengths follow the input,
/// so that records of a hundred bytes profit too. The lanes join in the last word of the third.
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_hardware(
    uint32_t start, const uint8_t *next, size_t length) {
    uint64_t crc = ~start;
    while (length >= 48) {
        size_t words = length / 24;
        if (words > LANE_WORD_COUNT_MAX) {
            words = LANE_WORD_COUNT_MAX;
        }
        const uint8_t *a = next;
        const uint8_t *b = a + 8 * words;
        const uint8_t *c = b + 8 * words;
        uint64_t crcB = 0;
        uint64_t crcC = 0;
        for (size_t word = 1; word < words; word++, a += 8, b += 8, c += 8) {
            crc = _mm_crc32_u64(crc, load_word(a));
            crcB = _mm_crc32_u64(crcB, load_word(b));
            crcC = _mm_crc32_u64(crcC, load_word(c));
        }
        crc = _mm_crc32_u64(crc, load_word(a));
        crcB = _mm_crc32_u64(crcB, load_word(b));
        uint64_t joined = moved(crc, (uint32_t)(2 * words)) ^ moved(crcB, (uint32_t)words);
        crc = _mm_crc32_u64(crcC, load_word(c) ^ joined);
        next += 24 * words;
        length -= 24 * words;
    }
    for (; length >= 8; next += 8, length -= 8) {
        crc = _mm_crc32_u64(crc, load_word(next));
    }
    if (length & 4) {
        uint32_t word;
        memcpy(&word, next, 4);
        crc = _mm_crc32_u32((uint32_t)crc, word);
        next += 4;
    }
    if (length & 2) {
        uint16_t word;
        memcpy(&word, next, 2);
        crc = _mm_crc32_u16((uint32_t)crc, word);
        next += 2;
    }
    if (length & 1) {
        crc = _mm_crc32_u8((uint32_t)crc, *next);
    }
    return ~(uint32_t)crc;
}

#endif

uint32_t holdfast_crc32c(uint32_t crc, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (is_hardware) {
        return crc32c_hardware(crc, bytes, length);
    }
#endif
    return holdfast_crc32c_portable(crc, bytes, length);
}

int holdfast_crc32c_is_hardware(void) { return is_hardware; }
