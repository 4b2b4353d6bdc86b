package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// guardTable is the lab's firewall. Its rules keep the lab's addresses on this machine: nothing with one of them goes out by
// another interface, and nothing for one of them is taken from another interface. So what listens on the bridge's address
// (API server, kubelet) is as private as what listens on loopback, and pods reach nothing but the lab.
//
// The rule of untranslated packets is for a flaw of the kernel's: while kube-proxy replaces elements of its map of Services, a
// lookup in that map can miss an element that was there all along. Such a packet would leave for the bridge with the Service's
// own address, where nobody answers for it, and its connection track entry would keep every retransmission untranslated too: the
// client hears "no route to host" of a Service that serves. Dropped before the entry is confirmed, the packet is sent once more by
// TCP and translated then.
const guardTable = "promote-lab"

func guardRules() string {
	return fmt.Sprintf(`table ip %[1]s
delete table ip %[1]s
table ip %[1]s {
	chain in {
		type filter hook prerouting priority raw; policy accept;
		iifname { "lo", "%[2]s" } accept
		ip daddr %[3]s drop
		ip saddr %[3]s drop
	}
	chain out {
		type filter hook postrouting priority filter; policy accept;
		ip daddr { %[4]s, %[5]s } counter drop comment "untranslated"
		oifname { "lo", "%[2]s" } accept
		ip daddr %[3]s drop
		ip saddr %[3]s drop
	}
}
`, guardTable, bridge, labRange, serviceRange, balancerNet)
}

// setting is one of the kernel's, with the name of the lab's file that keeps what it was before.
type setting struct{ file, value, kept string }

// kernelSettings are those of the network that the lab needs.
//
// Time stamps of TCP without an offset of their own for each pair of addresses (2, see Documentation/networking/ip-sysctl.rst) are for
// kube-proxy's masquerading: it gives each connection a random port, so that a pod sees the port of a connection that it has closed less
// than a minute ago, to another Service or of a probe, once more. It takes the new connection only if its time stamp is younger (RFC 6191),
// which offsets leave to chance: one connection of a thousand then waited for a second, or three.
var kernelSettings = []setting{
	{"/proc/sys/net/ipv4/ip_forward", "1", "forwarding"},
	{"/proc/sys/net/ipv4/tcp_timestamps", "2", "timestamps"},
}

// networkUp makes the bridge, the routes and the guard, whatever of them is there already.
func (l *Lab) networkUp(ctx context.Context) error {
	if err := l.foreignRoutes(ctx); err != nil {
		return err
	}
	if err := l.changeSettings(); err != nil {
		return err
	}
	// The guard comes first: there is no moment in which an address exists unguarded.
	if err := command(ctx, strings.NewReader(guardRules()), "nft", "-f", "-"); err != nil {
		return err
	}
	if _, err := net.InterfaceByName(bridge); err != nil {
		if err := command(ctx, nil, "ip", "link", "add", bridge, "type", "bridge"); err != nil {
			return err
		}
	}
	steps := [][]string{
		// Left alone a bridge takes the lowest address of its ports, another one whenever a pod comes or goes, and the kernel then
		// forgets every neighbour of it in the middle of their traffic.
		{"ip", "link", "set", bridge, "address", bridgeAddress},
		{"ip", "address", "replace", nodeAddress + "/16", "dev", bridge},
		{"ip", "link", "set", bridge, "up"},
		{"ip", "route", "replace", serviceRange, "dev", bridge, "src", nodeAddress},
		{"ip", "route", "replace", balancerNet, "dev", bridge, "src", nodeAddress},
	}
	for _, step := range steps {
		if err := command(ctx, nil, step...); err != nil {
			return err
		}
	}
	return nil
}

// foreignRoutes refuses to start when the lab's range is in use on this machine.
func (l *Lab) foreignRoutes(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "ip", "-4", "route", "show", "table", "all", "root", labRange).Output()
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "dev "+bridge+" ") {
			return fmt.Errorf("preparing the network: the lab's address range %s is in use on this machine: %s", labRange, strings.TrimSpace(line))
		}
	}
	return nil
}

// changeSettings sets what the lab needs of the kernel, and remembers what was set before.
func (l *Lab) changeSettings() error {
	for _, s := range kernelSettings {
		before, err := os.ReadFile(s.file)
		if err != nil {
			return fmt.Errorf("reading a setting of the kernel: %w", err)
		}
		if strings.TrimSpace(string(before)) == s.value {
			continue
		}
		if err := os.WriteFile(l.path(s.kept), before, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(s.file, []byte(s.value+"\n"), 0o644); err != nil {
			return fmt.Errorf("changing a setting of the kernel: %w", err)
		}
	}
	return nil
}

// networkDown removes what networkUp, the bridge plugin and kube-proxy made, and reports all that did not go.
func (l *Lab) networkDown(ctx context.Context) error {
	var errs []error
	// The kernel is asked, not /sys, which shows the network namespace that it was mounted in.
	if _, err := net.InterfaceByName(bridge); err == nil {
		// Each pod's cable ends in a port of the bridge; one that outlived its namespace goes here.
		out, err := exec.CommandContext(ctx, "ip", "-oneline", "link", "show", "master", bridge).Output()
		errs = append(errs, err)
		for line := range strings.Lines(string(out)) {
			if port := portName(line); port != "" {
				errs = append(errs, ignoreGone(port, command(ctx, nil, "ip", "link", "delete", port)))
			}
		}
		errs = append(errs, command(ctx, nil, "ip", "link", "delete", bridge))
	}
	tables, err := labTables(ctx)
	errs = append(errs, err)
	for _, table := range tables {
		errs = append(errs, command(ctx, nil, append([]string{"nft", "delete", "table"}, table...)...))
	}
	for _, s := range kernelSettings {
		if before, err := os.ReadFile(l.path(s.kept)); err == nil {
			errs = append(errs, os.WriteFile(s.file, before, 0o644))
		}
	}
	return errors.Join(errs...)
}

// portName is the interface that a line of `ip -oneline link` is about, as in "7: veth12@if2: <…".
func portName(line string) string {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(fields[1], ":"), "@")
	return name
}

// ignoreGone forgives an error about an interface that went by itself meanwhile, as a cable does when its namespace ends.
func ignoreGone(name string, err error) error {
	if _, gone := net.InterfaceByName(name); gone == nil {
		return err
	}
	return nil
}

// labTables are family and name of every firewall table that is the lab's, or would be.
func labTables(ctx context.Context) ([][]string, error) {
	out, err := exec.CommandContext(ctx, "nft", "list", "tables").Output()
	if err != nil {
		return nil, fmt.Errorf("listing firewall tables: %w", err)
	}
	var tables [][]string
	for line := range strings.Lines(string(out)) {
		if table := labTable(strings.Fields(line)); table != nil {
			tables = append(tables, table)
		}
	}
	return tables, nil
}

// labTable gives family and name when a line of `nft list tables` names a table of the lab: the guard, or kube-proxy's.
func labTable(fields []string) []string {
	if len(fields) != 3 || fields[0] != "table" {
		return nil
	}
	if fields[2] == guardTable || fields[2] == "kube-proxy" {
		return fields[1:]
	}
	return nil
}

// command runs a program whose only news is that it failed.
func command(ctx context.Context, stdin *strings.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %q: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}
