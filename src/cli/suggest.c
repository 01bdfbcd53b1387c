#include "cli/suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64
#define DISTANCE_MAX 2

static bool is_same(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t edit_distance(const char *a, const char *b) {
    size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b);
    if (la > WORD_MAX || lb > WORD_MAX)
        return la > lb ? la : lb;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replace = diagonal + !is_same(a[i - 1], b[j - 1]);
            diagonal = row[j];
            size_t insert = row[j - 1] + 1, delete = row[j] + 1;
            row[j] = replace < insert ? replace : insert;
            if (delete < row[j])
                row[j] = delete;
        }
    }
    return row[lb];
}

static bool is_near(const char *typed, const char *name) {
    size_t i = 0;
    while (typed[i] && name[i] && is_same(typed[i], name[i]))
        i++;
    return typed[i] == '\0' || edit_distance(typed, name) <= DISTANCE_MAX;
}

void suggest(struct buf *out, const char *typed, const char *const *names) {
    const char *title = "\n\nDid you mean this?\n";
    for (; *names; names++) {
        if (!is_near(typed, *names))
            continue;
        buf_printf(out, "%s\t%s\n", title, *names);
        title = "";
    }
}
