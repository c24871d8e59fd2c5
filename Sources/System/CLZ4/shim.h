#ifndef CLZ4_SHIM_H
#define CLZ4_SHIM_H
#include <features.h>
#include <lz4.h>
#include <lz4frame.h>
#endif
