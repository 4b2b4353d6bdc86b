package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// endEscaped ends processes that the command started and that left its process group, as daemons do: their environment holds
// the entry that this run alone has. The runner finds what a job left behind in the same way. It knows Linux' /proc only;
// elsewhere nothing is found.
func endEscaped(entry string) {
	if entry == "" {
		return
	}
	// What forks while it is looked for is found the next time.
	for range 3 {
		found := false
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range environs {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil || pid == os.Getpid() {
				continue
			}
			// Processes of others cannot be read, and are none of ours.
			environ, err := os.ReadFile(path)
			if err != nil || !holds(environ, entry) {
				continue
			}
			if process, err := os.FindProcess(pid); err == nil {
				found = process.Kill() == nil || found
			}
		}
		if !found {
			return
		}
	}
}

// holds says whether an environment, entries that end in a zero byte, has that entry.
func holds(environ []byte, entry string) bool {
	for each := range bytes.SplitSeq(environ, []byte{0}) {
		if string(each) == entry {
			return true
		}
	}
	return false
}
