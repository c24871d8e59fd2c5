#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H
#include <features.h>
#include <zlib.h>
#endif
