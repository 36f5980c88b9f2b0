/* The type of a file system, which the Glibc module of Swift leaves out. */
#include <sys/statfs.h>
