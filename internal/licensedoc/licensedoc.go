// Command licensedoc writes docs/licenses.md: the modules that are linked into the four programs, and the licences that they come
// under, as their own files say. Its test refuses licences that bind who links to them, and a page that is not current.
//
// It refuses to guess: a module without a licence file, or with one whose words it does not know, is an error.
//
//	go run ./internal/licensedoc
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const page = "docs/licenses.md"

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "licensedoc:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	text, err := document(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, page), []byte(text), 0o644)
}

// module is one that is linked.
type module struct {
	Path, Version, Dir string
	licenses           []string
}

// words are what each licence alone says, with blanks made one and in lower case.
var words = []struct {
	license string
	says    *regexp.Regexp
	// binds says that it asks something of the work as a whole.
	binds bool
}{
	{"Apache-2.0", regexp.MustCompile(`apache license,? version 2\.0`), false},
	{"MIT", regexp.MustCompile(`permission is hereby granted, free of charge, to any person obtaining a copy`), false},
	{"ISC", regexp.MustCompile(`permission to use, copy, modify, and(/or)? distribute this software for any purpose`), false},
	{"BSD-3-Clause", regexp.MustCompile(`redistribution and use in source and binary forms.*(neither the name|the names? of .{0,80} may not be used to endorse|promote products derived)`), false},
	{"BSD-2-Clause", regexp.MustCompile(`redistribution and use in source and binary forms`), false},
	{"Unlicense", regexp.MustCompile(`this is free and unencumbered software released into the public domain`), false},
	{"GPL", regexp.MustCompile(`gnu (affero |lesser |library )?general public licen[sc]e`), true},
	{"MPL", regexp.MustCompile(`mozilla public licen[sc]e`), true},
	{"EPL", regexp.MustCompile(`eclipse public licen[sc]e`), true},
	{"CDDL", regexp.MustCompile(`common development and distribution licen[sc]e`), true},
	{"EUPL", regexp.MustCompile(`european union public licen[sc]e`), true},
	{"SSPL", regexp.MustCompile(`server side public licen[sc]e`), true},
	{"BUSL", regexp.MustCompile(`business source licen[sc]e`), true},
	{"CC-SA", regexp.MustCompile(`share-?alike`), true},
}

// elsewhere are files about what is not linked: a module's documentation, and lists of what it was made with.
var elsewhere = regexp.MustCompile(`(?i)([-.]docs|\.csv)$`)

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)([-.].*)?$`)

// licensesIn gives the licences that a text names by what they say.
func licensesIn(text string) (found []string, binding []string) {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, w := range words {
		switch {
		case !w.says.MatchString(text), w.license == "BSD-2-Clause" && slices.Contains(found, "BSD-3-Clause"):
		case w.binds:
			binding = append(binding, w.license)
		default:
			found = append(found, w.license)
		}
	}
	return found, binding
}

// linked lists the modules of the four programs.
func linked(root string) ([]module, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./actions/...") //nolint:noctx // it ends by itself
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing what is linked: %w\n%s", err, &stderr)
	}
	var all []module
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("listing what is linked: %w", err)
		}
		if m := pkg.Module; m != nil && !m.Main {
			all = append(all, module{Path: m.Path, Version: m.Version, Dir: m.Dir})
		}
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path }), nil
}

// read finds a module's licences.
func (m *module) read() error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return fmt.Errorf("reading module %q: %w", m.Path, err)
	}
	var binding, files []string
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) || elsewhere.MatchString(entry.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("reading module %q: %w", m.Path, err)
		}
		found, binds := licensesIn(string(data))
		if len(found)+len(binds) == 0 {
			return fmt.Errorf("reading module %q: what %s says is no licence that is known", m.Path, entry.Name())
		}
		m.licenses, binding, files = append(m.licenses, found...), append(binding, binds...), append(files, entry.Name())
	}
	slices.Sort(m.licenses)
	m.licenses = slices.Compact(m.licenses)
	switch {
	case len(files) == 0:
		return fmt.Errorf("reading module %q: it has no licence file", m.Path)
	case len(binding) > 0:
		return fmt.Errorf("reading module %q: %s binds who links to it (%s); do without it", m.Path, strings.Join(binding, ", "), strings.Join(files, ", "))
	}
	return nil
}

// document is the page. Every problem comes at once.
func document(root string) (string, error) {
	modules, err := linked(root)
	if err != nil {
		return "", err
	}
	var problems []error
	count := map[string]int{}
	var rows strings.Builder
	for _, m := range modules {
		if err := m.read(); err != nil {
			problems = append(problems, err)
			continue
		}
		names := strings.Join(m.licenses, ", ")
		count[names]++
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", m.Path, m.Version, names)
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Licences of what is linked\n\n")
	fmt.Fprintf(&b, "The four programs are built from this repository and %d modules, besides Go's own library (BSD-3-Clause). This page is written by `make generate`\n", len(modules))
	b.WriteString("from the licence files of the modules; where a module comes under several, all are named. A test refuses a licence that binds who links to it.\n\n")
	b.WriteString("| module | version | licence |\n|---|---|---|\n" + rows.String())
	return b.String(), nil
}
