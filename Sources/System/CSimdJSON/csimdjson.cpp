#include "CSimdJSON.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <simdjson.h>
#include <string_view>
#include <vector>

namespace ondemand = simdjson::ondemand;

namespace {

// Memory above this is given back once a smaller text follows, so that one huge message does not
// cost its memory for the rest of the run.
constexpr size_t retained_bytes_max = size_t(4) << 20;
constexpr size_t retained_nodes_max = size_t(1) << 18;

bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// The grammar of RFC 8259 section 6. simdjson converts numbers and refuses those that do not fit
// 64 bits; here the text itself is the value.
bool is_number(std::string_view text) {
    size_t at = 0;
    const size_t size = text.size();
    if (at < size && text[at] == '-') at++;
    if (at >= size || !is_digit(text[at])) return false;
    if (text[at] == '0') {
        at++;
    } else {
        while (at < size && is_digit(text[at])) at++;
    }
    if (at < size && text[at] == '.') {
        at++;
        if (at >= size || !is_digit(text[at])) return false;
        while (at < size && is_digit(text[at])) at++;
    }
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < size && (text[at] == '+' || text[at] == '-')) at++;
        if (at >= size || !is_digit(text[at])) return false;
        while (at < size && is_digit(text[at])) at++;
    }
    return at == size;
}

int code_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::EMPTY: return TDJSON_EMPTY;
    case simdjson::UTF8_ERROR: return TDJSON_NOT_UTF8;
    case simdjson::UNCLOSED_STRING: return TDJSON_UNCLOSED_STRING;
    case simdjson::UNESCAPED_CHARS: return TDJSON_CONTROL_CHARACTER;
    case simdjson::STRING_ERROR: return TDJSON_BAD_STRING;
    case simdjson::NUMBER_ERROR: return TDJSON_BAD_NUMBER;
    case simdjson::DEPTH_ERROR: return TDJSON_TOO_DEEP;
    case simdjson::MEMALLOC: return TDJSON_OUT_OF_MEMORY;
    default: return TDJSON_MALFORMED;
    }
}

}  // namespace

struct tdjson_parser {
    ondemand::parser library;
    std::vector<uint8_t> text;  // the input and the padding that simdjson reads beyond it
    std::vector<tdjson_node> nodes;
    const uint8_t *texts = nullptr;
    size_t length = 0;
};

namespace {

struct Walk {
    tdjson_parser &parser;
    ondemand::document &document;
    uint32_t depth_max;
    uint32_t values_max;
    uint32_t fault = 0;

    const uint8_t *base() const { return parser.text.data(); }

    int fail(int code, size_t offset) {
        fault = uint32_t(offset < parser.length ? offset : parser.length);
        return code;
    }

    int append(uint32_t kind, size_t start, size_t end) {
        if (parser.nodes.size() >= values_max) return fail(TDJSON_TOO_MANY_VALUES, start);
        const uint32_t next = uint32_t(parser.nodes.size() + 1);
        parser.nodes.push_back({uint32_t(start), uint32_t(end), next, 0, 0, kind});
        return TDJSON_OK;
    }

    // A string whose first byte after the quote is `raw`; `text` is what simdjson unescaped.
    int append_string(const uint8_t *raw, std::string_view text) {
        const uint8_t *end = raw + text.size();
        // Without an escape the two are equal. An escape at raw[p] makes at least one byte, so it
        // lies within the first text.size() bytes.
        if (!text.empty() && std::memchr(raw, '\\', text.size()) != nullptr) {
            // simdjson has seen the closing quote, so the scan ends.
            for (end = raw; *end != '"'; end++) {
                if (*end == '\\') end++;
            }
        }
        const size_t start = size_t(raw - base()) - 1;
        if (int code = append(TDJSON_STRING, start, size_t(end - base()) + 1)) return code;
        const uint8_t *bytes = reinterpret_cast<const uint8_t *>(text.data());
        if (parser.texts == nullptr) parser.texts = bytes;
        parser.nodes.back().text_start = uint32_t(bytes - parser.texts);
        parser.nodes.back().count = uint32_t(text.size());
        return TDJSON_OK;
    }

    // The offset after the last closed container: the next token, stepped back over separators.
    size_t end_before_next_token() {
        const char *next = nullptr;
        size_t at = parser.length;
        if (!document.current_location().get(next)) {
            at = size_t(reinterpret_cast<const uint8_t *>(next) - base());
        }
        while (at > 0 && is_space(base()[at - 1])) at--;
        return at;
    }

    template <class Value> int object(Value &value, size_t start, uint32_t depth) {
        if (depth >= depth_max) return fail(TDJSON_TOO_DEEP, start);
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return fail(code_of(error), start);
        const size_t own = parser.nodes.size();
        if (int code = append(TDJSON_OBJECT, start, start)) return code;
        uint32_t count = 0;
        for (auto result : object) {
            ondemand::field field;
            if (auto error = std::move(result).get(field)) return fail(code_of(error), start);
            const uint8_t *raw = reinterpret_cast<const uint8_t *>(field.key().raw());
            std::string_view key;
            if (auto error = field.unescaped_key().get(key)) {
                return fail(code_of(error), size_t(raw - base()) - 1);
            }
            if (int code = append_string(raw, key)) return code;
            if (int code = any(field.value(), depth + 1)) return code;
            count++;
        }
        return close(own, count);
    }

    template <class Value> int array(Value &value, size_t start, uint32_t depth) {
        if (depth >= depth_max) return fail(TDJSON_TOO_DEEP, start);
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return fail(code_of(error), start);
        const size_t own = parser.nodes.size();
        if (int code = append(TDJSON_ARRAY, start, start)) return code;
        uint32_t count = 0;
        for (auto result : array) {
            ondemand::value element;
            if (auto error = std::move(result).get(element)) return fail(code_of(error), start);
            if (int code = any(element, depth + 1)) return code;
            count++;
        }
        return close(own, count);
    }

    int close(size_t own, uint32_t count) {
        tdjson_node &node = parser.nodes[own];
        const size_t end = end_before_next_token();
        // Here the last byte is the closing bracket, or the text is not what was walked.
        const uint8_t bracket = node.kind == TDJSON_OBJECT ? '}' : ']';
        if (end < node.start + 2 || base()[end - 1] != bracket) {
            return fail(TDJSON_MALFORMED, node.start);
        }
        node.end = uint32_t(end);
        node.next = uint32_t(parser.nodes.size());
        node.count = count;
        return TDJSON_OK;
    }

    template <class Value> int string(Value &value, size_t start) {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return fail(code_of(error), start);
        return append_string(base() + start + 1, text);
    }

    // A value that is a document or stands inside one.
    template <class Value> int any(Value &value, uint32_t depth, std::string_view token) {
        while (!token.empty() && is_space(uint8_t(token.back()))) token.remove_suffix(1);
        const size_t start = size_t(reinterpret_cast<const uint8_t *>(token.data()) - base());
        if (token.empty() || start >= parser.length) return fail(TDJSON_MALFORMED, start);
        const size_t end = start + token.size();
        switch (token.front()) {
        case '{': return object(value, start, depth);
        case '[': return array(value, start, depth);
        case '"': return string(value, start);
        case 't':
            if (token != "true") return fail(TDJSON_MALFORMED, start);
            return append(TDJSON_TRUE, start, end);
        case 'f':
            if (token != "false") return fail(TDJSON_MALFORMED, start);
            return append(TDJSON_FALSE, start, end);
        case 'n':
            if (token != "null") return fail(TDJSON_MALFORMED, start);
            return append(TDJSON_NULL, start, end);
        case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6':
        case '7': case '8': case '9':
            if (!is_number(token)) return fail(TDJSON_BAD_NUMBER, start);
            return append(TDJSON_NUMBER, start, end);
        default: return fail(TDJSON_MALFORMED, start);
        }
    }

    int any(ondemand::value value, uint32_t depth) {
        return any(value, depth, value.raw_json_token());
    }

    int root() {
        std::string_view token;
        if (auto error = document.raw_json_token().get(token)) return fail(code_of(error), 0);
        if (int code = any(document, 0, token)) return code;
        // Scalars are not consumed by the walk, so what follows is judged by the end of the root.
        size_t end = parser.length;
        while (end > 0 && is_space(base()[end - 1])) end--;
        if (parser.nodes.front().end != end) {
            return fail(TDJSON_TRAILING_TEXT, parser.nodes.front().end);
        }
        return TDJSON_OK;
    }
};

int parse(tdjson_parser &parser, const uint8_t *bytes, size_t length, uint32_t depth_max,
          uint32_t values_max, uint32_t *offset) {
    if (length <= retained_bytes_max && parser.library.capacity() > retained_bytes_max) {
        parser.library = ondemand::parser();
        std::vector<uint8_t>().swap(parser.text);
    }
    if (parser.nodes.capacity() > retained_nodes_max) std::vector<tdjson_node>().swap(parser.nodes);
    parser.nodes.clear();
    parser.texts = nullptr;
    parser.length = length;
    if (length == 0) return TDJSON_EMPTY;
    parser.text.resize(length + simdjson::SIMDJSON_PADDING);
    std::memcpy(parser.text.data(), bytes, length);
    std::memset(parser.text.data() + length, ' ', simdjson::SIMDJSON_PADDING);
    if (parser.library.capacity() < length) {
        // Grown in powers of two: texts of slowly rising size must not allocate each time.
        size_t capacity = 4096;
        while (capacity < length) capacity *= 2;
        if (auto error = parser.library.allocate(capacity)) return code_of(error);
    }
    ondemand::document document;
    if (auto error = parser.library.iterate(parser.text.data(), length, parser.text.size())
                         .get(document)) {
        return code_of(error);
    }
    Walk walk{parser, document, depth_max, values_max};
    const int code = walk.root();
    *offset = walk.fault;
    return code;
}

}  // namespace

extern "C" tdjson_parser *tdjson_create(void) {
    try {
        return new tdjson_parser;
    } catch (const std::exception &) {
        return nullptr;
    }
}

extern "C" void tdjson_destroy(tdjson_parser *parser) { delete parser; }

extern "C" int tdjson_parse(tdjson_parser *parser, const uint8_t *bytes, size_t length,
                            uint32_t depth_max, uint32_t values_max, uint32_t *offset) {
    *offset = 0;
    int code = TDJSON_OUT_OF_MEMORY;
    // No exception may cross into Swift; allocation is all that can throw here.
    try {
        code = parse(*parser, bytes, length, depth_max, values_max, offset);
    } catch (const std::exception &) {
        code = TDJSON_OUT_OF_MEMORY;
    }
    if (code != TDJSON_OK) parser->nodes.clear();
    return code;
}

extern "C" const tdjson_node *tdjson_nodes(const tdjson_parser *parser, size_t *count) {
    *count = parser->nodes.size();
    return parser->nodes.data();
}

extern "C" const uint8_t *tdjson_text(const tdjson_parser *parser, size_t *length) {
    *length = parser->length;
    return parser->text.data();
}

extern "C" const uint8_t *tdjson_texts(const tdjson_parser *parser) { return parser->texts; }
