// Inserts frames into what a user would pick instead of the log, and reads them back: RocksDB,
// SQLite with a write-ahead log, LMDB. Prints rows of the benchmark's table.
//
//   alternatives FRAMES WORK-FOLDER ROUNDS APPEND-MBPS SCAN-MBPS
//
// FRAMES holds frames, each behind its length as u32 LE. The last two are what the log reached in
// this run, for the ratios. The key is a 64-bit sequence, big-endian, so that a scan is in
// order; the promise is that of the log's default policy: every 20 ms what was inserted is made
// durable.

#include <lmdb.h>
#include <rocksdb/c.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double sync_seconds = 0.020;

struct frames {
  const uint8_t **bytes;
  uint32_t *sizes;
  size_t count;
  double megabytes; // of one round
};

struct result {
  double insert_seconds, scan_seconds;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void require(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "alternatives: %s failed\n", what);
  exit(1);
}

static struct frames load(const char *path) {
  FILE *file = fopen(path, "rb");
  require(file != NULL, path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *all = malloc(size);
  require(all != NULL && fread(all, 1, size, file) == size, "reading the frames");
  fclose(file);
  struct frames frames = {0};
  for (int pass = 0; pass < 2; pass++) {
    size_t count = 0;
    for (size_t offset = 0; offset + 4 <= size; count++) {
      uint32_t length;
      memcpy(&length, all + offset, 4);
      require(length <= size - offset - 4, "a length of the frames");
      if (pass == 1) {
        frames.bytes[count] = all + offset + 4;
        frames.sizes[count] = length;
        frames.megabytes += length / 1e6;
      }
      offset += 4 + (size_t)length;
    }
    if (pass == 0) {
      frames.bytes = malloc(count * sizeof *frames.bytes);
      frames.sizes = malloc(count * sizeof *frames.sizes);
      require(frames.bytes != NULL && frames.sizes != NULL, "memory");
    }
    frames.count = count;
  }
  return frames;
}

static uint64_t key_of(uint64_t sequence) { return __builtin_bswap64(sequence); }

static struct result run_rocksdb(const char *path, struct frames f, int rounds) {
  struct result result;
  char *error = NULL;
  rocksdb_options_t *options = rocksdb_options_create();
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_compression(options, rocksdb_lz4_compression);
  rocksdb_t *db = rocksdb_open(options, path, &error);
  require(error == NULL, "opening RocksDB");
  rocksdb_writeoptions_t *write = rocksdb_writeoptions_create();
  double start = now(), synced = start;
  uint64_t sequence = 0;
  for (int round = 0; round < rounds; round++) {
    for (size_t index = 0; index < f.count; index++) {
      uint64_t key = key_of(++sequence);
      rocksdb_put(db, write, (const char *)&key, 8, (const char *)f.bytes[index], f.sizes[index],
                  &error);
      require(error == NULL, "inserting into RocksDB");
      if (index % 64 == 0 && now() - synced >= sync_seconds) {
        rocksdb_flush_wal(db, 1, &error);
        require(error == NULL, "syncing RocksDB");
        synced = now();
      }
    }
  }
  rocksdb_flush_wal(db, 1, &error);
  require(error == NULL, "syncing RocksDB");
  result.insert_seconds = now() - start;
  start = now();
  rocksdb_readoptions_t *read = rocksdb_readoptions_create();
  rocksdb_iterator_t *cursor = rocksdb_create_iterator(db, read);
  uint64_t found = 0, bytes = 0;
  for (rocksdb_iter_seek_to_first(cursor); rocksdb_iter_valid(cursor); rocksdb_iter_next(cursor)) {
    size_t size;
    rocksdb_iter_value(cursor, &size);
    bytes += size;
    found++;
  }
  result.scan_seconds = now() - start;
  require(found == sequence && bytes > 0, "reading RocksDB");
  rocksdb_iter_destroy(cursor);
  rocksdb_close(db);
  return result;
}

static struct result run_sqlite(const char *path, struct frames f, int rounds) {
  struct result result;
  sqlite3 *db;
  sqlite3_stmt *insert, *select;
  require(sqlite3_open(path, &db) == SQLITE_OK, "opening SQLite");
  // FULL makes every commit durable.
  require(sqlite3_exec(db, "pragma journal_mode=wal; pragma synchronous=full;"
                           "create table record(sequence integer primary key, frame blob)",
                       NULL, NULL, NULL) == SQLITE_OK, "making the SQLite table");
  require(sqlite3_prepare_v2(db, "insert into record values(?, ?)", -1, &insert, NULL) ==
              SQLITE_OK, "preparing SQLite");
  double start = now(), synced = start;
  uint64_t sequence = 0;
  sqlite3_exec(db, "begin", NULL, NULL, NULL);
  for (int round = 0; round < rounds; round++) {
    for (size_t index = 0; index < f.count; index++) {
      sqlite3_bind_int64(insert, 1, (sqlite3_int64)++sequence);
      sqlite3_bind_blob(insert, 2, f.bytes[index], (int)f.sizes[index], SQLITE_STATIC);
      require(sqlite3_step(insert) == SQLITE_DONE, "inserting into SQLite");
      sqlite3_reset(insert);
      if (index % 64 == 0 && now() - synced >= sync_seconds) {
        require(sqlite3_exec(db, "commit; begin", NULL, NULL, NULL) == SQLITE_OK, "commit");
        synced = now();
      }
    }
  }
  require(sqlite3_exec(db, "commit", NULL, NULL, NULL) == SQLITE_OK, "commit");
  result.insert_seconds = now() - start;
  start = now();
  sqlite3_prepare_v2(db, "select sequence, frame from record order by sequence", -1, &select, NULL);
  uint64_t found = 0, bytes = 0;
  while (sqlite3_step(select) == SQLITE_ROW) {
    require(sqlite3_column_blob(select, 1) != NULL || sqlite3_column_bytes(select, 1) == 0, "blob");
    bytes += (uint64_t)sqlite3_column_bytes(select, 1);
    found++;
  }
  result.scan_seconds = now() - start;
  require(found == sequence && bytes > 0, "reading SQLite");
  sqlite3_finalize(insert);
  sqlite3_finalize(select);
  sqlite3_close(db);
  return result;
}

static struct result run_lmdb(const char *path, struct frames f, int rounds) {
  struct result result;
  MDB_env *env;
  MDB_txn *txn;
  MDB_dbi dbi;
  require(mdb_env_create(&env) == 0, "making LMDB");
  mdb_env_set_mapsize(env, (size_t)16 << 30);
  require(mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0, "opening LMDB");
  double start = now(), synced = start;
  uint64_t sequence = 0;
  require(mdb_txn_begin(env, NULL, 0, &txn) == 0, "beginning in LMDB");
  require(mdb_dbi_open(txn, NULL, 0, &dbi) == 0, "opening the LMDB table");
  for (int round = 0; round < rounds; round++) {
    for (size_t index = 0; index < f.count; index++) {
      uint64_t number = key_of(++sequence);
      MDB_val key = {8, &number}, value = {f.sizes[index], (void *)f.bytes[index]};
      require(mdb_put(txn, dbi, &key, &value, MDB_APPEND) == 0, "inserting into LMDB");
      if (index % 64 == 0 && now() - synced >= sync_seconds) {
        require(mdb_txn_commit(txn) == 0, "commit");
        require(mdb_txn_begin(env, NULL, 0, &txn) == 0, "beginning in LMDB");
        synced = now();
      }
    }
  }
  require(mdb_txn_commit(txn) == 0, "commit");
  result.insert_seconds = now() - start;
  start = now();
  MDB_cursor *cursor;
  MDB_val key, value;
  uint64_t found = 0, bytes = 0;
  require(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, "reading LMDB");
  require(mdb_cursor_open(txn, dbi, &cursor) == 0, "reading LMDB");
  volatile uint8_t touched = 0;
  while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
    // A map costs nothing until it is touched: one byte of each page.
    for (size_t at = 0; at < value.mv_size; at += 4096) touched ^= ((uint8_t *)value.mv_data)[at];
    bytes += value.mv_size;
    found++;
  }
  result.scan_seconds = now() - start;
  require(found == sequence && bytes > 0, "reading LMDB");
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  mdb_env_close(env);
  return result;
}

static void print(const char *name, struct result r, double megabytes, char **log) {
  double insert = megabytes / r.insert_seconds, scan = megabytes / r.scan_seconds;
  printf("%-55s %8.0f MB/s   the log: %.1f times that\n", name, insert, atof(log[0]) / insert);
  printf("%-55s %8.0f MB/s   the log: %.1f times that\n", "  scan", scan, atof(log[1]) / scan);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: alternatives FRAMES WORK ROUNDS APPEND-MBPS SCAN-MBPS\n");
    return 2;
  }
  struct frames frames = load(argv[1]);
  int rounds = atoi(argv[3]);
  double megabytes = frames.megabytes * rounds;
  char path[4096];
  printf("%zu frames, %d times = %.0f MB, durable every 20 ms\n", frames.count, rounds, megabytes);
  snprintf(path, sizeof path, "%s/rocksdb", argv[2]);
  print("RocksDB (LZ4), insert", run_rocksdb(path, frames, rounds), megabytes, argv + 4);
  snprintf(path, sizeof path, "%s/sqlite.db", argv[2]);
  print("SQLite (WAL), insert", run_sqlite(path, frames, rounds), megabytes, argv + 4);
  snprintf(path, sizeof path, "%s/lmdb.mdb", argv[2]);
  print("LMDB, insert", run_lmdb(path, frames, rounds), megabytes, argv + 4);
  return 0;
}
