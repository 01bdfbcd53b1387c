#include "http/public_suffix.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

/* Of libpsl.h: what is used of it, so that building needs no package for three declarations. */
typedef struct psl_ctx_st psl_ctx;
#define PSL_ICANN 1
#define PSL_PRIVATE 2
#define PSL_NO_STAR_RULE 4

#define DOMAIN_MAX_BYTES 255

static struct {
    const psl_ctx *list;
    int (*is_public)(const psl_ctx *list, const char *domain, int type);
} psl;

static void load(void) {
    void *library = dlopen("libpsl.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libpsl.dylib", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        log_printf(LOG_DEBUG, "libpsl is not installed: cookies of public suffixes are taken");
        return;
    }
    /* The newer one of the list built into the library and the one of the system. */
    psl_ctx *(*latest)(const char *path);
    void *find_latest = dlsym(library, "psl_latest");
    void *find_is_public = dlsym(library, "psl_is_public_suffix2");
    if (!find_latest || !find_is_public)
        return;
    memcpy(&latest, &find_latest, sizeof latest);
    memcpy(&psl.is_public, &find_is_public, sizeof find_is_public);
    psl.list = latest(NULL);
}

bool public_suffix_is(struct slice domain) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char text[DOMAIN_MAX_BYTES + 1];
    if (domain.len > DOMAIN_MAX_BYTES)
        return false;
    pthread_once(&once, load);
    if (!psl.list)
        return false;
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = 0;
    return psl.is_public(psl.list, text, PSL_ICANN | PSL_PRIVATE | PSL_NO_STAR_RULE) != 0;
}
