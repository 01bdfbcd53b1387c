/* layer: js. Input: a source, JavaScript or TypeScript, as the readers see it that work without the
 * engine. */
#include "fuzz.h"

#include <stdlib.h>

#include "js/babel.h"
#include "js/script_internal.h"
#include "js/syntax_words.h"
#include "js/ts.h"

#define STACK_BYTES (256 * 1024)

static size_t lines(const char *text, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

static void check_specifier(struct slice specifier, void *opaque) {
    const struct slice *source = opaque;
    if (specifier.len == 0 || specifier.ptr <= source->ptr ||
        specifier.ptr + specifier.len >= source->ptr + source->len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice source = slice_from((const char *)data, bytes);
    const char *limit = (const char *)__builtin_frame_address(0) - STACK_BYTES;
    size_t at, len;
    char *words;

    source_is_esm(source);
    source_each_import_call(source, check_specifier, &source);
    if (babel_refuses(source, &at) && at > bytes)
        abort();
    free(syntax_words(source, SYNTAX_PARSER, limit));
    free(syntax_words(source, SYNTAX_BUNDLER, limit));
    if (syntax_error_place(source, limit, &at) && at > bytes)
        abort();

    char *javascript = ts_strip(source, TS_TYPESCRIPT, limit, &len, &words);
    if (!javascript && !words)
        abort();
    if (javascript && lines(javascript, len) != lines(source.ptr, source.len))
        abort(); /* stack traces would name other lines */
    free(javascript ? javascript : words);
    return 0;
}
