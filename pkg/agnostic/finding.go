package agnostic

import (
	"fmt"
	"strconv"
	"strings"
)

// Finding is one thing that keeps an image from going everywhere. All of its texts can be shown: none holds a secret.
type Finding struct {
	Kind Kind
	// Path of the file in the image; empty if it is not about a file.
	Path string
	// Line in the file, from 1; 0 if it is about the file as a whole or the file is binary.
	Line int
	// Config says where in the image's config it is, for instance "env DATABASE_URL"; empty if it is about a file.
	Config string
	// Name of the environment variable or build argument that it is about, if there is one.
	Name string
	// Layer is the digest of the layer with the file.
	Layer string
	// Step is the Dockerfile's step that made the layer or the setting, values cut out; empty if the history does not tell.
	Step string
	// Excerpt is what was found, with every secret masked.
	Excerpt string
	// Hidden says which later layer removes or replaces the file: its bytes are pulled all the same.
	Hidden string
}

// What says in words what was found.
func (f Finding) What() string { return kinds[f.Kind].what }

// Fix says what to do about it.
func (f Finding) Fix() string {
	fix := kinds[f.Kind].fix
	if f.Hidden != "" {
		fix += "; removing it in a later step does not take it out of the image: the step that writes it must not"
	}
	return fix
}

// Where names the place: the file with its line, or the setting.
func (f Finding) Where() string {
	switch {
	case f.Path == "":
		return "config: " + f.Config
	case f.Line > 0:
		return fmt.Sprintf("%q line %d", f.Path, f.Line)
	}
	return strconv.Quote(f.Path)
}

// String is the finding in one line, without its fix.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", f.Where(), f.What(), f.Excerpt)
	var facts []string
	if f.Layer != "" {
		facts = append(facts, "layer "+f.Layer)
	}
	if f.Step != "" {
		facts = append(facts, "step "+strconv.Quote(f.Step))
	}
	if f.Hidden != "" {
		facts = append(facts, f.Hidden)
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	return b.String()
}

// Report is what a check comes to.
type Report struct {
	// Findings that no entry of the allow-list covers: files by layer, then the config.
	Findings []Finding
	// Allowed are those that one covers.
	Allowed []Finding
	// Notes are facts that decide nothing: files that were not read to their end, entries of the allow-list without use.
	Notes []string
	// Files and Bytes that were looked at.
	Files int
	Bytes int64
}

// Clean says that nothing stands against the image.
func (r Report) Clean() bool { return len(r.Findings) == 0 }

// String lists the findings with their fixes, then the notes.
func (r Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s\n  fix: %s\n", f, f.Fix())
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}
