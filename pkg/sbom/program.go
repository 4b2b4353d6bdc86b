package sbom

import (
	"bytes"
	"debug/buildinfo"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/org/promote/pkg/contents"
)

var elf = []byte("\x7fELF")

// spool is a temporary file that one program after the other is put into: its build information stands anywhere in it, and
// programs are too large to be held in memory.
type spool struct{ file *os.File }

// begin empties the file, or makes it.
func (s *spool) begin() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "promote-sbom-")
		if err != nil {
			return err
		}
		s.file = file
		return nil
	}
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return err
}

func (s *spool) remove() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}

// program takes the bytes of a file that may be a program of Go. Anything but ELF is let go by at its first bytes.
type program struct {
	collector *Collector
	entry     contents.Entry
	head      []byte
	state     state
}

type state int

const (
	unknown state = iota
	spooling
	other
)

// Write implements [io.Writer].
func (p *program) Write(data []byte) (int, error) {
	switch p.state {
	case spooling:
		return p.collector.spool.file.Write(data)
	case other:
		return len(data), nil
	}
	p.head = append(p.head, data...)
	if len(p.head) < len(elf) {
		return len(data), nil
	}
	if !bytes.HasPrefix(p.head, elf) {
		p.state, p.head = other, nil
		return len(data), nil
	}
	if err := p.collector.spool.begin(); err != nil {
		return 0, err
	}
	p.state = spooling
	_, err := p.collector.spool.file.Write(p.head)
	p.head = nil
	return len(data), err
}

// Close implements [io.Closer].
func (p *program) Close() error {
	if p.state != spooling {
		return nil
	}
	if info := buildInfo(p.collector.spool.file); info != nil {
		p.collector.add(p.entry, modulesOf(info))
	}
	return nil
}

// buildInfo gives what the Go linker wrote into a program, nil if that is not one of Go. The package debug/elf does not promise
// to stand every file that somebody makes up, and a broken program is no reason to end a build.
func buildInfo(file io.ReaderAt) (info *debug.BuildInfo) {
	defer func() {
		if recover() != nil {
			info = nil
		}
	}()
	info, err := buildinfo.Read(file)
	if err != nil {
		return nil
	}
	return info
}

// modulesOf gives the program's module first, then what it is linked with.
func modulesOf(info *debug.BuildInfo) []pkg {
	var all []pkg
	if info.Main.Path != "" {
		all = append(all, goModule(info.Main, true))
	} else if info.Path != "" {
		all = append(all, pkg{kind: "golang", name: info.Path, application: true})
	}
	// "go1.26.8 X:nocoverageredesign" names experiments behind the version.
	if version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " "); version != "" {
		all = append(all, pkg{kind: "golang", name: "stdlib", version: version})
	}
	for _, dep := range info.Deps {
		if dep != nil {
			all = append(all, goModule(*dep, false))
		}
	}
	return all
}

// goModule is the module that was linked: a replacement stands for what it replaces, but a folder has no name that others know.
func goModule(m debug.Module, application bool) pkg {
	if m.Replace != nil && m.Replace.Version != "" {
		m = *m.Replace
	}
	version := m.Version
	if version == "(devel)" {
		version = ""
	}
	return pkg{kind: "golang", name: m.Path, version: version, application: application}
}
