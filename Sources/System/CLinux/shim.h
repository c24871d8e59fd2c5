#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H
// Linux headers that Swift's Glibc module leaves out.
#include <features.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// prctl is variadic, which Swift cannot call. Names the calling thread; the kernel keeps 15 bytes.
static inline int clinux_name_thread(const char *name) {
    return prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0);
}
// CPU_COUNT is a macro. Processors that the affinity mask allows, or 1 when it cannot be read.
static inline int clinux_available_processors(void) {
    unsigned long mask[16] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i < bytes / (long)sizeof(unsigned long); i++) {
        count += __builtin_popcountl(mask[i]);
    }
    return count > 0 ? count : 1;
}
// A builtin that Swift lacks. Asks for memory that is read soon; any address may be given.
static inline void clinux_prefetch(const void *address, long bytes) {
    for (long i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)address + i, 0, 3);
}
#endif
