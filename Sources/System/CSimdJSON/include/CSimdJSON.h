// A small C face over simdjson: one call that validates a whole JSON text and lists its values.
//
// The list is in the order of the text (a container before what is inside it), so that a value
// and everything inside it is one run of nodes: node i owns the nodes up to nodes[i].next.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Zero is no kind, so that a node that was never filled in shows.
enum {
    TDJSON_OBJECT = 1,
    TDJSON_ARRAY = 2,
    TDJSON_STRING = 3,
    TDJSON_NUMBER = 4,
    TDJSON_TRUE = 5,
    TDJSON_FALSE = 6,
    TDJSON_NULL = 7,
};

enum {
    TDJSON_OK = 0,
    TDJSON_EMPTY = 1,
    TDJSON_TOO_DEEP = 2,
    TDJSON_TOO_MANY_VALUES = 3,
    TDJSON_NOT_UTF8 = 4,
    TDJSON_UNCLOSED_STRING = 5,
    TDJSON_CONTROL_CHARACTER = 6,
    TDJSON_BAD_STRING = 7,
    TDJSON_BAD_NUMBER = 8,
    TDJSON_MALFORMED = 9,
    TDJSON_TRAILING_TEXT = 10,
    TDJSON_OUT_OF_MEMORY = 11,
};

typedef struct {
    uint32_t start;        // offset of the first byte of the value in the text
    uint32_t end;          // offset after its last byte; quotes and brackets are inside
    uint32_t next;         // index of the node after this value and all that is inside it
    uint32_t text_start;   // strings: offset of the unescaped bytes in tdjson_texts()
    uint32_t count;        // strings: length of the unescaped bytes; arrays: elements;
                           // objects: members, each a key node followed by its value
    uint32_t kind;
} tdjson_node;

typedef struct tdjson_parser tdjson_parser;

// NULL when there is no memory.
tdjson_parser *tdjson_create(void);
void tdjson_destroy(tdjson_parser *parser);

// Copies `length` bytes (below 2^31), validates them and lists their values; replaces what the
// parser held. `depth_max` counts containers inside each other. `offset` receives where the fault
// is, to within the value that holds it; 0 for a fault of the whole text.
int tdjson_parse(tdjson_parser *parser, const uint8_t *bytes, size_t length, uint32_t depth_max,
                 uint32_t values_max, uint32_t *offset);

// Valid until the next parse; after an error there are none.
const tdjson_node *tdjson_nodes(const tdjson_parser *parser, size_t *count);
// The copy of the text that was parsed.
const uint8_t *tdjson_text(const tdjson_parser *parser, size_t *length);
// Unescaped strings, one after another.
const uint8_t *tdjson_texts(const tdjson_parser *parser);

#ifdef __cplusplus
}
#endif
#endif
