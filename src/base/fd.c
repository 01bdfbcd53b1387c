#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"

int fd_write_all(int fd, struct slice data) {
    while (data.len > 0) {
        ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno != EINTR)
            return KE_IO;
        if (n > 0)
            data = slice_from(data.ptr + n, data.len - (size_t)n);
    }
    return 0;
}
