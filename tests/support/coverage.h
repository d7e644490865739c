/* coverage.h - put in front of every file that ./dev coverage compiles: jansson's macros as
 * functions that do the same. json_is_null(v) asks whether there is a v at all; behind a check of
 * our own that is a branch which nothing can take, and it is not ours. */
#ifndef PRICEGATE_TEST_COVERAGE_H
#define PRICEGATE_TEST_COVERAGE_H

#include <jansson.h>
#include <stdbool.h>

#define COVERAGE_TYPES(X)                                                                          \
    X(object)                                                                                      \
    X(array)                                                                                       \
    X(string)                                                                                      \
    X(integer)                                                                                     \
    X(real)                                                                                        \
    X(number)                                                                                      \
    X(boolean)                                                                                     \
    X(true)                                                                                        \
    X(false)                                                                                       \
    X(null)

#define X(type)                                                                                    \
    static inline bool coverage_is_##type(const json_t *v)                                         \
    {                                                                                              \
        return json_is_##type(v);                                                                  \
    }
COVERAGE_TYPES(X)
#undef X

#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef json_is_integer
#undef json_is_real
#undef json_is_number
#undef json_is_boolean
#undef json_is_true
#undef json_is_false
#undef json_is_null
#define json_is_object  coverage_is_object
#define json_is_array   coverage_is_array
#define json_is_string  coverage_is_string
#define json_is_integer coverage_is_integer
#define json_is_real    coverage_is_real
#define json_is_number  coverage_is_number
#define json_is_boolean coverage_is_boolean
#define json_is_true    coverage_is_true
#define json_is_false   coverage_is_false
#define json_is_null    coverage_is_null

static inline bool coverage_at(void *iter, const char **key, json_t **value)
{
    *key = json_object_iter_key(iter);
    *value = json_object_iter_value(iter);
    return iter != NULL;
}

#undef json_object_foreach
#define json_object_foreach(object, key, value)                                                    \
    for (void *iter_##key = json_object_iter(object); coverage_at(iter_##key, &key, &value);       \
         iter_##key = json_object_iter_next(object, iter_##key))

#endif
