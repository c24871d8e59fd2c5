#ifndef CGEYSER_H
#define CGEYSER_H
#include <features.h>
#endif
