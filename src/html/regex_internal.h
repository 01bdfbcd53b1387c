/* Between the parser of expressions and the machine that runs them. */
#pragma once

#include "base/arena.h"
#include "html/regex.h"

struct rx_range {
    uint32_t from, to;
};

struct rx_set {
    struct rx_range *ranges;
    size_t n;
    bool is_negated, ignores_case;
};

enum rx_assert { RX_TEXT_BEGIN, RX_TEXT_END, RX_LINE_BEGIN, RX_LINE_END, RX_WORD, RX_NO_WORD };

enum rx_kind { RX_EMPTY, RX_SET, RX_ASSERT, RX_CAT, RX_ALT, RX_REPEAT };

struct rx_node {
    enum rx_kind kind;
    enum rx_assert assert_kind;
    struct rx_set set;
    struct rx_node *a, *b;
    int min, max; /* max -1 = no end */
};

#define RX_REPEAT_MAX 1000

/* NULL when it is no expression. Nodes live in the arena. */
struct rx_node *rx_parse(struct arena *arena, struct slice text);
