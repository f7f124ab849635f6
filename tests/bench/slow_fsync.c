/* Makes every flush to the disk take 1 ms longer, as on a disk behind a network. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>

static void dawdle(void) {
    struct timespec left = {0, 1000000};
    while (nanosleep(&left, &left) != 0) {
    }
}

int fsync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    dawdle();
    return next(file);
}

int fdatasync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    dawdle();
    return next(file);
}

int sync_file_range(int file, off64_t offset, off64_t bytes, unsigned int flags) {
    static int (*next)(int, off64_t, off64_t, unsigned int);
    if (!next) next = (int (*)(int, off64_t, off64_t, unsigned int))dlsym(RTLD_NEXT, "sync_file_range");
    /* Only who waits for the disk is kept waiting longer. */
    if (flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER)) dawdle();
    return next(file, offset, bytes, flags);
}
