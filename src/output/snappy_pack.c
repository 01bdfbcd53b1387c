#include "output/snappy_pack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <snappy-c.h>

#include "base/check.h"

static struct {
    bool is_loaded;
    __typeof__(snappy_compress) *compress;
    __typeof__(snappy_max_compressed_length) *max_length;
} snappy;

static void load(void) {
    void *library = dlopen("libsnappy.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libsnappy.dylib", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    void *compress = dlsym(library, "snappy_compress");
    void *max_length = dlsym(library, "snappy_max_compressed_length");
    memcpy(&snappy.compress, &compress, sizeof compress);
    memcpy(&snappy.max_length, &max_length, sizeof max_length);
    snappy.is_loaded = compress && max_length;
}

int snappy_load(struct error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (snappy.is_loaded)
        return 0;
    return error_set(err, KE_NOT_FOUND,
                     "cannot load libsnappy.so.1: install your system's snappy (Debian: "
                     "libsnappy1v5)");
}

void snappy_pack(struct buf *out, struct slice in) {
    size_t room = snappy.max_length(in.len);
    buf_reserve(out, room);
    CHECK(snappy.compress(in.ptr, in.len, out->ptr + out->len, &room) == SNAPPY_OK);
    out->len += room;
}
