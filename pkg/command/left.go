package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// ending is how long a process that has closed its output may take to be gone.
	ending = 100 * time.Millisecond
	// mostLeft bounds how many processes are named.
	mostLeft = 5
)

// living names the processes of a group. One that is just ending is not meant, unless it is known that some are not.
func living(group int, sure bool) []string {
	found := members(group)
	for until := time.Now().Add(ending); len(found) > 0 && !sure && time.Now().Before(until); found = members(group) {
		time.Sleep(ending / 20)
	}
	if len(found) > mostLeft {
		found = append(found[:mostLeft], fmt.Sprintf("and %d more", len(found)-mostLeft))
	}
	return found
}

// members reads the processes of a group from Linux' /proc, which is documented in proc(5); elsewhere none is found. Those that
// have ended and wait for their parent to notice do not run any more.
func members(group int) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil { // it is gone
			continue
		}
		// The name stands in brackets and may hold brackets and spaces itself.
		text := string(data)
		open, closed := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		if open < 0 || closed < open {
			continue
		}
		fields := strings.Fields(text[closed+1:]) // state, parent, group
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			found = append(found, fmt.Sprintf("%s (%s)", text[open+1:closed], filepath.Base(filepath.Dir(file))))
		}
	}
	return found
}
