/* words.h - texts of strangers, made fit to be passed on.
 *
 * Names and sentences of providers end up in web pages, terminals and logs. What comes out of here
 * is valid UTF-8 of bounded length on one line: no control characters, none that turn the direction
 * of writing or hide, no runs of spaces, nothing cut in the middle of a character. It is not HTML:
 * a page escapes it like any text. Pure. */
#ifndef PRICEGATE_WORDS_H
#define PRICEGATE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the len bytes at text (any bytes) to out, at most size - 1 and a NUL. False when not all
 * of it had room; then the copy ends in an ellipsis. size: at least 4. */
bool words_copy(char *out, size_t size, const char *text, size_t len);

/* May the URL be shown as a link? http or https in small letters, printable ASCII, nothing that
 * ends a link in text or in HTML (spaces, quotes, angle brackets, backslashes). */
bool words_is_link(const char *url);

#endif
