package cluster

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
)

func TestConfigs(t *testing.T) {
	l, _ := newLab(t)
	if err := l.writeConfigs(); err != nil {
		t.Fatal(err)
	}
	t.Run("leave no placeholder and are well-formed", func(t *testing.T) {
		for _, target := range configFiles {
			data, err := os.ReadFile(l.path("config", target))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), "<no value>") || strings.Contains(string(data), "{{") {
				t.Errorf("%s has a placeholder left", target)
			}
			var any map[string]any
			switch filepath.Ext(target) {
			case ".yaml":
				err = yaml.UnmarshalStrict(data, &any)
			case ".conflist":
				err = json.Unmarshal(data, &any)
			}
			if err != nil {
				t.Errorf("%s: %v", target, err)
			}
		}
	})
	t.Run("are not touched when they say the same", func(t *testing.T) {
		path := l.path("config", "proxy.yaml")
		old := time.Now().Add(-time.Hour).Truncate(time.Second)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		if err := l.writeConfigs(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || !info.ModTime().Equal(old) {
			t.Errorf("it was written again: %v, %v", info.ModTime(), err)
		}
	})
}

func TestAddresses(t *testing.T) {
	t.Run("lie in the lab's range, apart from each other", func(t *testing.T) {
		all := netip.MustParsePrefix(labRange)
		parts := []netip.Prefix{netip.MustParsePrefix(podRange), netip.MustParsePrefix(serviceRange), netip.MustParsePrefix(balancerNet)}
		for i, p := range parts {
			if !all.Contains(p.Addr()) || p.Bits() < all.Bits() {
				t.Errorf("%s is not in %s", p, all)
			}
			for _, q := range parts[i+1:] {
				if p.Overlaps(q) {
					t.Errorf("%s and %s overlap", p, q)
				}
			}
		}
		for _, address := range []string{apiService, dnsAddress} {
			if !parts[1].Contains(netip.MustParseAddr(address)) {
				t.Errorf("%s is not in %s", address, parts[1])
			}
		}
	})
}

func TestMatchListener(t *testing.T) {
	const line = "   0: 0100007F:6EFA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0"
	for name, tc := range map[string]struct {
		line, address string
		want          bool
	}{
		"the same address and port":      {line, "127.0.0.1:28410", true},
		"another port":                   {line, "127.0.0.1:28411", false},
		"another address":                {line, "198.18.0.1:28410", false},
		"every address":                  {strings.Replace(line, "0100007F:", "00000000:", 1), "127.0.0.1:28410", true},
		"a connection, not a listener":   {strings.Replace(line, " 0A ", " 01 ", 1), "127.0.0.1:28410", false},
		"the table's head":               {"  sl  local_address rem_address   st", "127.0.0.1:28410", false},
		"every address of both families": {strings.Replace(line, "0100007F:", "00000000000000000000000000000000:", 1), "127.0.0.1:28410", true},
	} {
		t.Run(name, func(t *testing.T) {
			inode, got := matchListener(tc.line, netip.MustParseAddrPort(tc.address))
			if got != tc.want || got && inode != "12345" {
				t.Errorf("got %q, %v", inode, got)
			}
		})
	}
}

func TestLabTable(t *testing.T) {
	for line, want := range map[string][]string{
		"table ip promote-lab": {"ip", "promote-lab"}, "table ip6 kube-proxy": {"ip6", "kube-proxy"},
		"table inet filter": nil, "table ip nat": nil, "": nil,
	} {
		if diff := cmp.Diff(want, labTable(strings.Fields(line))); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

func TestMissingPackages(t *testing.T) {
	t.Run("are those whose file is not there", func(t *testing.T) {
		all := []debianPackage{{name: "a", file: "/a"}, {name: "b", file: "/b"}}
		missing := missingPackages(all, func(path string) bool { return path == "/a" })
		if len(missing) != 1 || missing[0].name != "b" {
			t.Errorf("got %v", missing)
		}
	})
}

func TestBuildKey(t *testing.T) {
	t.Run("changes with every file of the module and with what is built, and with nothing else", func(t *testing.T) {
		dir := t.TempDir()
		keys := map[string]string{}
		add := func(why, what string) {
			key, err := buildKey(dir, what)
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := keys[key]; ok {
				t.Errorf("%q has the key of %q", why, other)
			}
			keys[key] = why
		}
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("go.mod", "module x")
		add("first", ".")
		add("another program", "./y")
		write("go.sum", "hash")
		add("another dependency", ".")
		write("main.go", "package main")
		add("another source", ".")
		before, _ := buildKey(dir, ".")
		write("README.md", "text")
		if after, _ := buildKey(dir, "."); after != before {
			t.Error("a README changed the key")
		}
	})
	t.Run("every program's version is in its go.mod", func(t *testing.T) {
		source, err := findSource()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range builds {
			flags, err := b.linkerFlags(filepath.Join(source, b.dir))
			if err != nil {
				t.Errorf("%s: %v", b.name, err)
			}
			if strings.Count(flags, "=v") != len(b.stamps) {
				t.Errorf("%s: got %q", b.name, flags)
			}
		}
	})
}

func TestFresh(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	token := func(life time.Duration) *api.AuthInfo {
		claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, now.Add(life).Unix()))
		return &api.AuthInfo{Token: "head." + claims + ".signature"}
	}
	for name, tc := range map[string]struct {
		user *api.AuthInfo
		want bool
	}{
		"with most of its life to come": {token(tokenLife - time.Hour), true},
		"with little of it to come":     {token(time.Hour), false},
		"over":                          {token(-time.Hour), false},
		"no token":                      {&api.AuthInfo{}, false},
		"not in the form of one":        {&api.AuthInfo{Token: "a.%%.c"}, false},
		"no user":                       {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fresh(tc.user, now); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestReadRole(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "role.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const account = "kind: ServiceAccount\nmetadata: {name: a}\n---\n"
	t.Run("takes the Role out of a file with other documents", func(t *testing.T) {
		role, err := readRole(write(account + "kind: Role\nmetadata: {name: r, namespace: n}\nrules: [{verbs: [get]}]\n"))
		if err != nil || role.Name != "r" || role.Namespace != "" || len(role.Rules) != 1 {
			t.Errorf("got %v, %v", role, err)
		}
	})
	t.Run("refuses a file without a Role, a broken one and a missing one", func(t *testing.T) {
		for _, path := range []string{write(account), write("kind: [\n"), "/does/not/exist"} {
			if _, err := readRole(path); err == nil {
				t.Errorf("%s was read", path)
			}
		}
	})
}
