package cluster

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// listenerName describes the process that listens on a TCP address, as well as /proc can tell.
func listenerName(address string) string {
	inode, ok := listenerInode(address)
	if !ok {
		return "another program"
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return "another program"
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || target != "socket:["+inode+"]" {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			break
		}
		return fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name)))
	}
	return "another program"
}

// listenerInode finds the socket that listens on the address, or on every address, in the kernel's tables.
func listenerInode(address string) (string, bool) {
	want, err := netip.ParseAddrPort(address)
	if err != nil {
		return "", false
	}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.Open(file)
		if err != nil {
			continue
		}
		defer table.Close()
		for lines := bufio.NewScanner(table); lines.Scan(); {
			if inode, ok := matchListener(lines.Text(), want); ok {
				return inode, true
			}
		}
	}
	return "", false
}

// matchListener reads one line of /proc/net/tcp or tcp6; the state 0A means that it listens.
func matchListener(line string, want netip.AddrPort) (inode string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != "0A" {
		return "", false
	}
	host, port, ok := strings.Cut(fields[1], ":")
	if !ok || port != fmt.Sprintf("%04X", want.Port()) {
		return "", false
	}
	four := want.Addr().As4()
	// The kernel prints the address as one number of this machine's byte order.
	exact := fmt.Sprintf("%08X", binary.NativeEndian.Uint32(four[:]))
	if host != exact && strings.Trim(host, "0") != "" {
		return "", false
	}
	return fields[9], true
}
