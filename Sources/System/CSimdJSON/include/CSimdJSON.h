#ifndef CSIMDJSON_H
#define CSIMDJSON_H
#include <features.h>
#endif
