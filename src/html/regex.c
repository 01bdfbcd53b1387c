#include "html/regex.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "html/regex_internal.h"
#include "html/text.h"

#define TEXT_MAX 4096
#define PROGRAM_MAX 20000

enum op { OP_SET, OP_ASSERT, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
    enum op op;
    enum rx_assert assert_kind;
    uint32_t x, y; /* targets of a jump or split */
    const struct rx_set *set;
};

struct html_regex {
    struct arena arena;
    VEC(struct instruction) program;
};

/* ---- compilation: a program for Thompson's machine ---- */

static uint32_t emit(struct html_regex *rx, struct instruction i) {
    if (rx->program.len < PROGRAM_MAX)
        vec_push(&rx->program, i);
    return (uint32_t)rx->program.len - 1;
}

static void compile(struct html_regex *rx, const struct rx_node *n);

static void compile_repeat(struct html_regex *rx, const struct rx_node *n) {
    uint32_t last = 0;
    for (int i = 0; i < n->min && rx->program.len < PROGRAM_MAX; i++) {
        last = (uint32_t)rx->program.len;
        compile(rx, n->a);
    }
    if (n->max < 0 && n->min > 0) { /* the last one again and again */
        uint32_t split = emit(rx, (struct instruction){.op = OP_SPLIT, .x = last});
        rx->program.ptr[split].y = split + 1;
        return;
    }
    if (n->max < 0) {
        uint32_t split = emit(rx, (struct instruction){.op = OP_SPLIT});
        compile(rx, n->a);
        emit(rx, (struct instruction){.op = OP_JUMP, .x = split});
        rx->program.ptr[split].x = split + 1;
        rx->program.ptr[split].y = (uint32_t)rx->program.len;
        return;
    }
    for (int i = n->min; i < n->max && rx->program.len < PROGRAM_MAX; i++) {
        uint32_t split = emit(rx, (struct instruction){.op = OP_SPLIT});
        compile(rx, n->a);
        rx->program.ptr[split].x = split + 1;
        rx->program.ptr[split].y = (uint32_t)rx->program.len;
    }
}

/* The branches' jumps to the end are a chain until the end is known. */
static void compile_alternatives(struct html_regex *rx, const struct rx_node *n) {
    uint32_t last_jump = UINT32_MAX;
    for (; n->kind == RX_ALT; n = n->b) {
        uint32_t split = emit(rx, (struct instruction){.op = OP_SPLIT});
        compile(rx, n->a);
        last_jump = emit(rx, (struct instruction){.op = OP_JUMP, .x = last_jump});
        rx->program.ptr[split].x = split + 1;
        rx->program.ptr[split].y = (uint32_t)rx->program.len;
    }
    compile(rx, n);
    while (rx->program.len < PROGRAM_MAX && last_jump != UINT32_MAX) {
        uint32_t before = rx->program.ptr[last_jump].x;
        rx->program.ptr[last_jump].x = (uint32_t)rx->program.len;
        last_jump = before;
    }
}

static void compile(struct html_regex *rx, const struct rx_node *n) {
    for (; n->kind == RX_CAT; n = n->b)
        compile(rx, n->a);
    switch (n->kind) {
    case RX_SET:
        emit(rx, (struct instruction){.op = OP_SET, .set = &n->set});
        break;
    case RX_ASSERT:
        emit(rx, (struct instruction){.op = OP_ASSERT, .assert_kind = n->assert_kind});
        break;
    case RX_ALT:
        compile_alternatives(rx, n);
        break;
    case RX_REPEAT:
        compile_repeat(rx, n);
        break;
    case RX_EMPTY:
    case RX_CAT:
        break;
    }
}

struct html_regex *html_regex_new(struct slice text) {
    if (text.len > TEXT_MAX)
        return NULL;
    struct html_regex *rx = xcalloc(1, sizeof *rx);
    arena_init(&rx->arena);
    const struct rx_node *tree = rx_parse(&rx->arena, text);
    if (tree) {
        compile(rx, tree);
        emit(rx, (struct instruction){.op = OP_MATCH});
    }
    if (!tree || rx->program.len >= PROGRAM_MAX) {
        html_regex_free(rx);
        return NULL;
    }
    return rx;
}

void html_regex_free(struct html_regex *rx) {
    if (!rx)
        return;
    arena_release(&rx->arena);
    vec_release(&rx->program);
    free(rx);
}

/* ---- the machine: all states at once, one rune after the other ---- */

#define NO_RUNE UINT32_MAX

struct threads {
    uint32_t *at;
    size_t n;
};

struct machine {
    const struct html_regex *rx;
    struct threads now, next;
    uint32_t *seen; /* per instruction: the step that added it last */
    uint32_t *stack;
    uint32_t step;
    uint32_t before, here; /* runes around the position */
    bool is_matched;
};

static bool is_word(uint32_t r) {
    return r < 0x80 && ((r >= '0' && r <= '9') || r == '_' || ((r | 32) >= 'a' && (r | 32) <= 'z'));
}

static bool holds(const struct machine *m, enum rx_assert kind) {
    switch (kind) {
    case RX_TEXT_BEGIN:
        return m->before == NO_RUNE;
    case RX_TEXT_END:
        return m->here == NO_RUNE;
    case RX_LINE_BEGIN:
        return m->before == NO_RUNE || m->before == '\n';
    case RX_LINE_END:
        return m->here == NO_RUNE || m->here == '\n';
    case RX_WORD:
        return is_word(m->before) != is_word(m->here);
    case RX_NO_WORD:
        break;
    }
    return is_word(m->before) == is_word(m->here);
}

static bool in_ranges(const struct rx_set *set, uint32_t r) {
    for (size_t i = 0; i < set->n; i++) {
        if (r >= set->ranges[i].from && r <= set->ranges[i].to)
            return true;
    }
    return false;
}

static bool in_set(const struct rx_set *set, uint32_t r) {
    bool in = in_ranges(set, r) || (set->ignores_case && (in_ranges(set, html_rune_lower(r)) ||
                                                          in_ranges(set, html_rune_upper(r))));
    return in != set->is_negated;
}

/* Adds a thread with all that can be reached from it without reading. */
static void add_thread(struct machine *m, struct threads *to, uint32_t start) {
    size_t depth = 0;
    m->stack[depth++] = start;
    while (depth) {
        uint32_t pc = m->stack[--depth];
        if (m->seen[pc] == m->step)
            continue;
        m->seen[pc] = m->step;
        const struct instruction *i = &m->rx->program.ptr[pc];
        switch (i->op) {
        case OP_SET:
            to->at[to->n++] = pc;
            break;
        case OP_MATCH:
            m->is_matched = true;
            return;
        case OP_JUMP:
            m->stack[depth++] = i->x;
            break;
        case OP_SPLIT:
            m->stack[depth++] = i->y;
            m->stack[depth++] = i->x;
            break;
        case OP_ASSERT:
            if (holds(m, i->assert_kind))
                m->stack[depth++] = pc + 1;
            break;
        }
    }
}

static size_t peek(struct slice text, size_t at, uint32_t *out) {
    *out = NO_RUNE;
    if (at >= text.len)
        return 1;
    size_t n = utf8_decode(slice_from(text.ptr + at, text.len - at), out);
    if (*out == UTF8_INVALID)
        *out = 0xfffd;
    return n;
}

static void run(struct machine *m, struct slice text) {
    m->before = NO_RUNE;
    for (size_t at = 0; at <= text.len && !m->is_matched;) {
        size_t n = peek(text, at, &m->here);
        /* A match may begin here: behind the threads that came from the last rune. */
        add_thread(m, &m->now, 0);
        uint32_t rune = m->here;
        at += n;
        m->before = rune;
        peek(text, at, &m->here);
        m->step++;
        m->next.n = 0;
        for (size_t i = 0; i < m->now.n && !m->is_matched && rune != NO_RUNE; i++) {
            if (in_set(m->rx->program.ptr[m->now.at[i]].set, rune))
                add_thread(m, &m->next, m->now.at[i] + 1);
        }
        struct threads swap = m->now;
        m->now = m->next;
        m->next = swap;
    }
}

bool html_regex_match(const struct html_regex *rx, struct slice text) {
    size_t n = rx->program.len;
    /* Each instruction pushes at most two, and is looked at once a step. */
    uint32_t *memory = xcalloc(5 * n + 2, sizeof *memory);
    struct machine m = {.rx = rx,
                        .now = {memory, 0},
                        .next = {memory + n, 0},
                        .seen = memory + 2 * n,
                        .stack = memory + 3 * n,
                        .step = 1};
    run(&m, text);
    free(memory);
    return m.is_matched;
}
