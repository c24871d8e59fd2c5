#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H
#include <stdint.h>
// Calls of malloc, calloc, realloc and aligned allocation in the whole process so far.
uint64_t allocation_count(void);
#endif
