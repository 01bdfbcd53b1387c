/* Secret sources (--secret-source) and their values. k6/secrets asks here; each value that was
 * handed out is masked in the log from then on. Sources are added on the main thread before any VU
 * starts; values are asked for from fibers of any worker. */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "base/slice.h"

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *s);
/* One value of --secret-source: TYPE[=CONFIG] with the types file, mock and url; CONFIG may name
 * the source ("name=x") and make it the default ("default"). KE_CONFIG with k6's words. */
int secrets_add(struct secrets *s, const char *line, struct error *err);

/* The sources of this process; NULL = none. The caller keeps them alive. */
void secrets_install(struct secrets *s);
struct secrets *secrets_installed(void);

/* The value of a key. s may be NULL. Yields when the source is a URL. 0 with *out (lives as long as
 * s); KE_NOT_FOUND or another error with k6's words; KE_CANCELED. */
int secrets_get(struct secrets *s, const char *source, struct slice key, struct slice *out,
                struct error *err);
/* True when secrets_get answers at once. */
bool secrets_is_quick(struct secrets *s, const char *source, struct slice key);
