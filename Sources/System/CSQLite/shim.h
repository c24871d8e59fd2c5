#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H
#include <sqlite3.h>

// SQLite copies what it is given here: the macro that says so is a cast that Swift cannot read.
static inline int csqlite_bind_blob_copied(sqlite3_stmt *statement, int index, const void *bytes,
                                           int count) {
    return sqlite3_bind_blob(statement, index, count > 0 ? bytes : "", count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_text_copied(sqlite3_stmt *statement, int index, const char *text,
                                           int count) {
    return sqlite3_bind_text(statement, index, count > 0 ? text : "", count, SQLITE_TRANSIENT);
}
#endif
