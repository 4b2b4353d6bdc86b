package gha

import (
	"fmt"
	"strconv"

	"github.com/sethvargo/go-githubactions"
)

// Level is how loud an annotation is.
type Level string

// The levels that GitHub knows.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Error   Level = "error"
)

const (
	// annotationCap is how many annotations of one level GitHub keeps per step; a composite action is one step.
	annotationCap = 10
	// messageCap is where GitHub cuts the message of an annotation, in bytes.
	messageCap = 4096
)

// Annotation is a remark that GitHub shows at a line of a file.
type Annotation struct {
	Level Level
	// File is relative to the repository's root; empty for a remark about the run.
	File           string
	Title, Message string
	// Line counts from 1; 0 leaves it out.
	Line int
}

// Infof prints to the log.
func (a *Action) Infof(format string, args ...any) { a.out.line(sprintf(format, args)) }

// Debugf prints to the log when the workflow is run with debug logging.
func (a *Action) Debugf(format string, args ...any) {
	a.inner.IssueCommand(&githubactions.Command{Name: "debug", Message: a.out.redact(sprintf(format, args))})
}

// Noticef shows a notice on the run's page.
func (a *Action) Noticef(format string, args ...any) {
	a.Annotate(Annotation{Level: Notice, Message: sprintf(format, args)})
}

// Warningf shows a warning on the run's page.
func (a *Action) Warningf(format string, args ...any) {
	a.Annotate(Annotation{Level: Warning, Message: sprintf(format, args)})
}

// Errorf shows an error on the run's page. It does not change the exit code.
func (a *Action) Errorf(format string, args ...any) {
	a.Annotate(Annotation{Level: Error, Message: sprintf(format, args)})
}

// Annotate shows an annotation. Those past GitHub's cap of ten per level go to the log as text, so none is lost.
func (a *Action) Annotate(n Annotation) {
	a.mu.Lock()
	a.annotated[n.Level]++
	over := a.annotated[n.Level] > annotationCap
	a.mu.Unlock()
	if over {
		a.out.line(fmt.Sprintf("%s: %s%s", n.Level, place(n), n.Message))
		return
	}
	a.annotate(n)
}

func (a *Action) annotate(n Annotation) {
	properties := githubactions.CommandProperties{}
	if n.File != "" {
		properties["file"] = a.out.redact(n.File)
	}
	if n.Line > 0 {
		properties["line"] = strconv.Itoa(n.Line)
	}
	if n.Title != "" {
		properties["title"] = a.out.redact(n.Title)
	}
	a.inner.IssueCommand(&githubactions.Command{
		Name: string(n.Level), Message: clip(a.out.redact(n.Message), messageCap), Properties: properties,
	})
}

// Group folds everything printed until end under a title. GitHub knows no groups within groups.
func (a *Action) Group(title string) (end func()) {
	a.inner.Group(a.out.redact(title))
	return a.inner.EndGroup
}

// sprintf formats; without arguments the format is text, so that a lone % is no accident.
func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

func place(n Annotation) string {
	switch {
	case n.File == "":
		return ""
	case n.Line > 0:
		return fmt.Sprintf("%s:%d: ", n.File, n.Line)
	}
	return n.File + ": "
}

// clip cuts text to at most size bytes, at the edge of a character, and shows that it did.
func clip(text string, size int) string {
	const mark = "…"
	if len(text) <= size {
		return text
	}
	end := size - len(mark)
	for end > 0 && text[end]&0xC0 == 0x80 { // within a UTF-8 sequence
		end--
	}
	return text[:end] + mark
}
