#ifndef CXXHASH_SHIM_H
#define CXXHASH_SHIM_H
#include <features.h>
// Inlined: a library call costs about 100 ns per 2 KB more, and nothing has to be linked.
#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t cxxhash_64_seeded(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}

typedef struct {
    uint64_t low;
    uint64_t high;
} cxxhash_128_value;

static inline cxxhash_128_value cxxhash_128(const void *bytes, size_t count) {
    XXH128_hash_t hash = XXH3_128bits(bytes, count);
    cxxhash_128_value value = {hash.low64, hash.high64};
    return value;
}
#endif
