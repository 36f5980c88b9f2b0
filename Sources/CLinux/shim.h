/* What the Glibc module of Swift leaves out. */
#ifndef HOLDFAST_CLINUX_H
#define HOLDFAST_CLINUX_H

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Processors that the calling thread may run on, as taskset and cpusets allow (sched_getaffinity(2)); 0 when the system
/// does not say.
static inline int holdfast_processor_count(void) {
    // 8192 processors: the most that Linux can be built for.
    unsigned long set[8192 / (8 * sizeof(unsigned long))];
    long filled = syscall(SYS_sched_getaffinity, 0, sizeof set, set);
    int count = 0;
    for (long word = 0; word < filled / (long)sizeof set[0]; word++) {
        count += __builtin_popcountl(set[word]);
    }
    return count;
}

/// Bytes that a TCP socket was given and has not sent yet (SIOCOUTQNSD of tcp(7)); 0 when the system does not say.
static inline int holdfast_unsent_byte_count(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQNSD, &count) == 0 ? count : 0;
}

/// Bytes that a TCP socket was given and its peer has not acknowledged (SIOCOUTQ of tcp(7)); 0 when the system does not say.
static inline int holdfast_unacknowledged_byte_count(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : 0;
}

#endif
