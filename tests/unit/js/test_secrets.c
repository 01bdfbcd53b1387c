#include "script_test.h"

#include <stdio.h>
#include <unistd.h>

#include "js/secrets/secrets.h"

/* NULL ends the list. Gives the words of the first error, "" without one. */
static const char *add(struct secrets *s, const char *const *lines) {
    static struct error err;
    err.text[0] = '\0';
    for (; *lines && !err.text[0]; lines++)
        secrets_add(s, *lines, &err);
    return err.text;
}

static void check(const char *const *lines, const char *words) {
    struct secrets *s = secrets_new();
    assert_string_equal(add(s, lines), words);
    secrets_free(s);
}

#define LINES(...)          \
    (const char *const[]) { \
        __VA_ARGS__, NULL   \
    }

static void bad_sources_have_k6_s_words(void **state) {
    (void)state;
    check(LINES("nosuch"), "no secret source for type \"nosuch\" for configuration \"nosuch\"");
    check(LINES(" "), "couldn't parse secret source configuration \" \"");
    check(LINES("mock"), "parsing \"\", needs =");
    check(LINES("mock=a=b,c"), "parsing \"c\", needs =");
    check(LINES("file=/no/such"), "open /no/such: no such file or directory");
    check(LINES("file=path=x"), "unknown configuration key for file secret source \"path\"");
    check(LINES("mock=name=x,a=b", "mock=name=x,c=d"),
          "secret source for name \"mock\" already registered before configuration "
          "\"mock=name=x,c=d\"");
    check(LINES("mock=name=x,default,a=b", "mock=name=y,default,c=d"),
          "can't have two secret sources that are default ones, second one was \"c=d\"");
}

static void bad_url_sources_have_k6_s_words(void **state) {
    (void)state;
    check(LINES("url"), "missing or invalid config: urlTemplate is required");
    check(LINES("url=urlTemplate=http://h/"),
          "missing or invalid config: urlTemplate must contain {key} placeholder");
    check(LINES("url=urlTemplate={key}"),
          "missing or invalid config: urlTemplate must be an absolute URL with a scheme (e.g., "
          "https://...)");
    check(LINES("url=urlTemplate"),
          "missing or invalid config: invalid config format \"urlTemplate\", expected key=value");
    check(LINES("url=colour=red"),
          "missing or invalid config: unknown configuration key: \"colour\"");
    check(LINES("url=timeout=soon"),
          "missing or invalid config: invalid timeout: time: invalid duration \"soon\"");
    check(LINES("url=urlTemplate=http://h/{key},requestsBurst=0"),
          "missing or invalid config: requestsBurst must be greater than 0");
    check(LINES("url=urlTemplate=http://h/{key},maxRetries=-1"),
          "missing or invalid config: maxRetries must be non-negative");
    check(LINES("url=urlTemplate=http://h/{key},timeout=5s,headers.A=b"), "");
}

static void expect_secret(struct secrets *s, const char *source, const char *key,
                          const char *value) {
    struct slice out;
    struct error err;
    int rc = secrets_get(s, source, slice_cstr(key), &out, &err);
    if (rc)
        assert_string_equal(err.text, value);
    else
        assert_true(slice_eq(out, slice_cstr(value)));
}

static void sources_are_found_by_name_and_default(void **state) {
    (void)state;
    struct secrets *s = secrets_new();
    expect_secret(NULL, "default", "k", "no secret sources are configured");
    expect_secret(s, "default", "k", "no secret sources are configured");
    add(s, LINES("mock=k=one=1,e="));
    expect_secret(s, "default", "k", "one=1");
    expect_secret(s, "mock", "e", "");
    expect_secret(s, "mock", "x", "no value");
    add(s, LINES("mock=name=b,k=two"));
    expect_secret(s, "b", "k", "two");
    expect_secret(s, "default", "k", "no secret source with name \"default\" is configured");
    add(s, LINES("mock=name=c,default,k=three"));
    expect_secret(s, "default", "k", "three");
    secrets_free(s);
}

static void files_hold_a_secret_a_line(void **state) {
    (void)state;
    char path[] = "/tmp/kiln-secrets-XXXXXX", line[64];
    int fd = mkstemp(path);
    static const char text[] = "a=1\r\nb=x=y\nc=";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    struct secrets *s = secrets_new();
    snprintf(line, sizeof line, "file=filename=%s", path);
    assert_string_equal(add(s, LINES(line)), "");
    expect_secret(s, "file", "a", "1");
    expect_secret(s, "file", "b", "x=y");
    expect_secret(s, "default", "c", "");
    secrets_free(s);
    unlink(path);
}

static void scripts_get_secrets_and_the_log_does_not(void **state) {
    (void)state;
    struct secrets *s = secrets_new();
    add(s, LINES("mock=token=t0ps3cret", "mock=name=other,default,k=unseen!"));
    secrets_install(s);
    expect_log("import secrets from 'k6/secrets';"
               "const early = await secrets.get('k');"
               "export default async function () {"
               "  const t = await secrets.source('mock').get('token');"
               "  console.log(early.length, t.length, `<${t}>`, { t });"
               "  for (const f of [() => secrets.get('nope'), () => secrets.source('x').get('k')])"
               "    try { await f(); } catch (e) { console.log(String(e), e instanceof Error); }"
               "}",
               "info: 7 9 <***SECRET_REDACTED***> { t: \"***SECRET_REDACTED***\" }\n"
               "info: no value false\n"
               "info: no secret source with name \"x\" is configured false\n");
    secrets_install(NULL);
    secrets_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_sources_have_k6_s_words),
        cmocka_unit_test(bad_url_sources_have_k6_s_words),
        cmocka_unit_test(sources_are_found_by_name_and_default),
        cmocka_unit_test(files_hold_a_secret_a_line),
        cmocka_unit_test(scripts_get_secrets_and_the_log_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
