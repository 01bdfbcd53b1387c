#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/load_test.h"

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* URLs of the script's files, sorted. Heap array of pointers into the map. */
static const char **sorted_urls(const struct map *files, size_t *out_len) {
    struct map_entry *e;
    const char **urls = xcalloc(files->len + 1, sizeof *urls);
    *out_len = 0;
    for (size_t i = 0; (e = map_next(files, &i));)
        urls[(*out_len)++] = e->key.ptr;
    qsort(urls, *out_len, sizeof *urls, by_text);
    return urls;
}

static void print_json(const char **urls, size_t n) {
    struct json_writer w;
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, "  ", false);
    json_object_begin(&w);
    json_key(&w, "buildDependencies");
    json_object_begin(&w);
    json_key(&w, "k6");
    json_cstr(&w, "*");
    json_object_end(&w);
    json_key(&w, "imports");
    json_array_begin(&w);
    for (size_t i = 0; i < n; i++)
        json_cstr(&w, urls[i]);
    json_array_end(&w);
    json_key(&w, "customBuildRequired");
    json_bool(&w, false);
    json_object_end(&w);
    puts(buf_cstr(&text));
    buf_release(&text);
}

static void print_text(const char **urls, size_t n) {
    printf("Build Dependencies:\n  k6: *\n\nImports:\n");
    for (size_t i = 0; i < n; i++)
        printf("  %s\n", urls[i]);
    printf("\nCustom Build Required: no\n");
}

static int list(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    struct map files;
    struct map_entry *e;
    size_t n;
    int rc = load_script(t, flags, false, f);
    if (rc != 0)
        return rc;
    map_init(&files);
    script_files(t->test.script, &files);
    const char **urls = sorted_urls(&files, &n);
    if (flags_bool(flags, "json", false))
        print_json(urls, n);
    else
        print_text(urls, n);
    free(urls);
    for (size_t i = 0; (e = map_next(&files, &i));)
        free(e->value);
    map_release(&files);
    return 0;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, list);
}

static const struct flag_def own_flags[] = {
    {"json", 0, FLAG_BOOL, NULL, "print as JSON", NULL},
    {NULL},
};

const struct command cmd_deps = {
    .name = "deps",
    .usage = "deps FILE",
    .summary = "List what a test imports and opens",
    .about = "Lists the files and modules that a test uses.",
    .min_args = 1,
    .max_args = 1,
    .args_error = "arg should either be \"-\", if reading script from stdin, or a path to a script "
                  "file",
    .flags = (const struct flag_def *const[]){own_flags, runtime_flag_defs, NULL},
    .run = run,
};
