#include "CGeyser.h"
