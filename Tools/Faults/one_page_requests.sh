#!/usr/bin/env bash
# one_page_requests.sh DIR COMMAND...: runs the command after the loop device below DIR was limited
# to requests of one page.
#
# A loop device whose backing file finds no room in the middle of a larger request writes a part of
# it and reports the whole as done, and so does the fdatasync behind it: such a disk lies to every
# program. With one page a request it tells the truth.
set -euo pipefail
device=$(findmnt -n -o SOURCE --target "$1")
shift
echo 4 >"/sys/block/${device#/dev/}/queue/max_sectors_kb"
exec "$@"
