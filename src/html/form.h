/* What forms send, by k6's rules (which are simpler than a browser's). */
#pragma once

#include "html/query.h"

enum html_value_kind { HTML_NO_VALUE, HTML_ONE_VALUE, HTML_VALUES };

/* The value of a control: a text, or the selected options of a select with `multiple`. */
struct html_value {
    enum html_value_kind kind;
    struct buf text;
    struct html_nodes options;
};

/* HTML_NO_VALUE for what is no input, button, textarea, option or select. */
void html_value_init(struct html_value *v, const struct html_node *n);
void html_value_release(struct html_value *v);
/* Appends the attribute "value", or else the content as HTML. */
void html_option_value(struct buf *out, const struct html_node *n);

/* The controls that count: of all forms when one of the nodes is a form, otherwise among the nodes
 * themselves. Without a name, disabled="disabled", buttons and files do not; checkboxes and radio
 * buttons need checked="checked". */
void html_form_controls(struct html_nodes *out, const struct html_nodes *in);
