package agnostic

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// FuzzParseAllow reads an allow-list of any text: each line that says something is an entry or a problem, an entry alone is read as
// it was among others, and none covers more than it says.
func FuzzParseAllow(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text, "/app/.env")
		}
	}
	f.Add("app/fixtures/**\n\ndev.env\n**/*.sh:dotenv\nenv:ENVIRONMENT\n# no\napp/*:secret\n**\n", "/app/fixtures/a")
	f.Add("[a-z](.*)+\\Q\n***?/**/x", "/app/x")
	f.Fuzz(func(t *testing.T, text, path string) {
		list, err := ParseAllow(text)
		problems := 0
		if joined, several := err.(interface{ Unwrap() []error }); several {
			problems = len(joined.Unwrap())
		}
		said := 0
		for _, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				said++
			}
		}
		if len(list)+problems != said {
			t.Errorf("%d lines are %d entries and %d problems", said, len(list), problems)
		}
		ofFile, ofVariable := Finding{Kind: Dotenv, Path: path}, Finding{Kind: Credential, Config: "env " + path, Name: path}
		for _, a := range list {
			again, err := ParseAllow(a.text)
			if err != nil || len(again) != 1 || again[0].covers(ofFile) != a.covers(ofFile) || again[0].covers(ofVariable) != a.covers(ofVariable) {
				t.Errorf("%q alone is %v, %v", a.text, again, err)
			}
			if a.covers(ofVariable) && a.text != "env:"+path {
				t.Errorf("%q covers the variable %q", a.text, path)
			}
			if a.covers(ofFile) && a.kind != "" && a.kind != Dotenv {
				t.Errorf("%q covers a finding of another kind", a.text)
			}
			// Without signs that stand for others, an entry is a path or the name of a file.
			if glob, _, _ := strings.Cut(a.text, ":"); a.covers(ofFile) && !strings.ContainsAny(glob, "*?") && !strings.HasSuffix(path, strings.TrimPrefix(glob, "/")) {
				t.Errorf("%q covers %q", a.text, path)
			}
		}
	})
}
