package failing

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// address is an IPv4 address, with its port if there is one.
var address = regexp.MustCompile(`\b(\d{1,3}\.){3}\d{1,3}(:\d{2,5})?\b`)

// Write keeps a recording. This machine's name and addresses are replaced, each by one of those that are reserved for
// documentation; nothing else is changed.
func (w *World) Write(c Case, changes []Change) error {
	text, err := yaml.Marshal(changes)
	if err != nil {
		return err
	}
	name, err := machine()
	if err != nil {
		return err
	}
	scrubbed := strings.NewReplacer(
		w.registry, "registry.example:5000", host(w.locked), "locked.example:5000", host(w.slow), "slow.example:5000",
	).Replace(string(text))
	scrubbed = regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(scrubbed, "machine.example")
	given := map[string]string{}
	scrubbed = address.ReplaceAllStringFunc(scrubbed, func(found string) string {
		ip, port, _ := strings.Cut(found, ":")
		if net.ParseIP(ip) == nil {
			return found
		}
		if given[ip] == "" {
			given[ip] = fmt.Sprintf("192.0.2.%d", len(given)+1)
		}
		if port == "" {
			return given[ip]
		}
		return given[ip] + ":" + port
	})
	return os.WriteFile(c.Recording(), []byte(scrubbed), 0o644)
}
