#include "html_unit.h"

#include "html/regex.h"

enum answer { NO, YES, REFUSED };

static const struct {
    const char *regex, *text;
    enum answer answer;
} rows[] = {
    {"", "", YES},
    {"a", "bab", YES},
    {"^a", "ba", NO},
    {"a$", "ab", NO},
    {"^$", "", YES},
    {"^a|b$", "xb", YES},
    {"^(?:a|b|cd)+$", "abcdab", YES},
    {"^(?:a|b|cd)+$", "abcda c", NO},
    {"a.c", "a\nc", NO},
    {"(?s)a.c", "a\nc", YES},
    {"(?m)^b$", "a\nb\nc", YES},
    {"^b$", "a\nb\nc", NO},
    {"^a*b+c?$", "bb", YES},
    {"^a{2}$", "aa", YES},
    {"^a{2}$", "aaa", NO},
    {"^a{2,}$", "aaa", YES},
    {"^a{1,2}$", "aaa", NO},
    {"^a{,2}$", "a{,2}", YES},
    {"^(a*)*$", "aaaa", YES},
    {"^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", NO},
    {"^((((((((((((a|b)+)+)+)+)+)+)+)+)+)+)+)+$", "abba", YES},
    {"^(ab){2,}$", "ababab", YES},
    {"^(ab){2,}$", "ab", NO},
    {"a+?b", "aab", YES},
    {"\\d+-\\w+\\s\\D", "12-ab c", YES},
    {"^[a-c]+$", "abcd", NO},
    {"^[^a-c]+$", "xyz", YES},
    {"^[]a]+$", "]a", YES},
    {"^[a-]+$", "a-", YES},
    {"^[\\d.]+$", "1.2", YES},
    {"^[[:alpha:]_]+$", "ab_", YES},
    {"^[[:^digit:]]+$", "ab", YES},
    {"\\bfoo\\b", "a foo b", YES},
    {"\\bfoo\\b", "afoo", NO},
    {"\\Bfoo", "afoo", YES},
    {"\\Aa\\z", "a", YES},
    {"(?i)STRASSE", "strasse", YES},
    {"(?i)ÄB", "äB", YES},
    {"(?i:a)B", "AB", YES},
    {"(?i:a)B", "Ab", NO},
    {"(?P<x>a)(?<y>b)", "ab", YES},
    {"\\x41\\x{42}\\103", "ABC", YES},
    {"\\.\\*\\(\\\\", ".*(\\", YES},
    {"^.$", "é", YES},
    {"^é{2}$", "éé", YES},
    {"\\t\\n", "\t\n", YES},
    {"(", "", REFUSED},
    {")", "", REFUSED},
    {"*a", "", REFUSED},
    {"a**", "", REFUSED},
    {"a{2}{3}", "", REFUSED},
    {"a{1001}", "", REFUSED},
    {"a{3,2}", "", REFUSED},
    {"[b-a]", "", REFUSED},
    {"[a", "", REFUSED},
    {"\\", "", REFUSED},
    {"\\q", "", REFUSED},
    {"\\1", "", REFUSED},
    {"\\x{110000}", "", REFUSED},
    {"(?=a)", "", REFUSED},
    {"(?z)", "", REFUSED},
    {"((a{1000}){1000}){1000}", "", REFUSED},
    {"((((((((((((((((((((a))))))))))))))))))))", "", REFUSED},
};

static void every_row_answers_as_it_says(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct html_regex *rx = html_regex_new(slice_cstr(rows[i].regex));
        enum answer a = !rx ? REFUSED : html_regex_match(rx, slice_cstr(rows[i].text)) ? YES : NO;
        if (a != rows[i].answer)
            print_error("/%s/ on \"%s\"\n", rows[i].regex, rows[i].text);
        assert_int_equal(a, rows[i].answer);
        html_regex_free(rx);
    }
}

static void bytes_that_are_no_utf8_are_no_trouble(void **state) {
    (void)state;
    struct html_regex *rx = html_regex_new(SLICE("^a.b$"));
    assert_true(html_regex_match(rx, SLICE("a\xff"
                                           "b")));
    html_regex_free(rx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_answers_as_it_says),
        cmocka_unit_test(bytes_that_are_no_utf8_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
