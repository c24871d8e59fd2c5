#ifndef CGEYSER_H
#define CGEYSER_H
// First, or glibc's fd_set differs between modules in debug builds.
#include <features.h>
#include "solana-storage.pb-c.h"
#include "geyser.pb-c.h"
#endif
