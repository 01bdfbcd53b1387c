#include "js/file_view.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

struct view {
    struct list link; /* of the VU's */
    const struct script_file *file;
    char *ptr;
};

static void view_free(JSRuntime *rt, void *opaque, void *ptr) {
    struct view *v = opaque;
    (void)rt;
    (void)ptr;
    munmap(v->ptr, v->file->len);
    list_remove(&v->link);
    free(v);
}

JSValue js_file_view_new(JSContext *ctx, const struct script_file *f) {
    if (f->memory_fd < 0)
        return JS_UNDEFINED;
    void *map = mmap(NULL, f->len, PROT_READ | PROT_WRITE, MAP_PRIVATE, f->memory_fd, 0);
    if (map == MAP_FAILED) /* a process may have some 65000 mappings */
        return JS_UNDEFINED;
    struct view *v = xmalloc(sizeof *v);
    *v = (struct view){.file = f, .ptr = map};
    list_push_back(&vu_from_ctx(ctx)->file_views, &v->link);
    return JS_NewArrayBuffer(ctx, map, f->len, view_free, v, false);
}

/* ---- was it written to? ---- */

#define PAGE_IS_THERE (UINT64_C(3) << 62) /* in memory or swapped out */
#define PAGE_IS_OF_FILE (UINT64_C(1) << 61)
#define PAGES_A_READ 512

static int pagemap = -1;

static void pagemap_open(void) {
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

/* A page that was written to is no longer the file's. False also when there is no telling. */
static bool is_untouched(const char *ptr, size_t bytes) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t entries[PAGES_A_READ];
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t page = (size_t)(uintptr_t)ptr / page_bytes;
    size_t end = ((size_t)(uintptr_t)ptr + bytes + page_bytes - 1) / page_bytes;
    pthread_once(&once, pagemap_open);
    while (page < end) {
        size_t want = end - page < PAGES_A_READ ? end - page : PAGES_A_READ;
        ssize_t n =
            pread(pagemap, entries, want * sizeof *entries, (off_t)(page * sizeof *entries));
        if (n <= 0)
            return false;
        size_t got = (size_t)n / sizeof *entries;
        for (size_t i = 0; i < got; i++) {
            if ((entries[i] & PAGE_IS_THERE) && !(entries[i] & PAGE_IS_OF_FILE))
                return false;
        }
        page += got;
    }
    return true;
}

struct slice js_file_view_shared(struct vu *vu, struct slice bytes) {
    for (struct list *l = vu->file_views.next; l != &vu->file_views; l = l->next) {
        const struct view *v = container_of(l, struct view, link);
        if (bytes.ptr < v->ptr || bytes.ptr + bytes.len > v->ptr + v->file->len)
            continue;
        if (!bytes.len || !is_untouched(bytes.ptr, bytes.len))
            break;
        return slice_from(v->file->ptr + (bytes.ptr - v->ptr), bytes.len);
    }
    return slice_from(NULL, 0);
}
