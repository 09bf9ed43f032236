# First step: limits that go through sudo: size of files, CPU time, open files, memory.
. "$(dirname "$0")/lib.sh"
for limit in "-f 0" "-n 12" "-t 1" "-v 60000" "-u 1" "-s 64"; do
    (ulimit $limit && restart) 2>&1 | tail -3
done
stopped=$(ps -o stat=,pid= -U "$USER" | grep '^T')
[ -z "$stopped" ] || echo "left stopped: $stopped"
