package agnostic

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/contents"
)

// FuzzFile gives a file of any name and bytes to the rules, in pieces of any size; how it comes must not matter.
func FuzzFile(f *testing.F) {
	for _, dirty := range dirtyFiles(f) {
		if len(dirty.text) < 64<<10 {
			f.Add(dirty.path, []byte(dirty.text), uint16(7))
		}
	}
	f.Add("app/x", []byte("-----BEGIN PRIVATE KEY-----"), uint16(1))
	f.Add("app/x.jar", []byte(zipped(f, files{"a/.env": "A=b\n", "../b.js": "'https://api.stage.example.com'"})), uint16(9))
	f.Add("app/x.yaml", []byte("host: a\nhost:"), uint16(3))
	f.Fuzz(func(t *testing.T, path string, data []byte, piece uint16) {
		img := contents.Image{Layers: []contents.Layer{{Digest: "sha256:1", Step: string(data[:min(len(data), 200)])}}}
		run := func(step int) Report {
			s := NewScan(img, Rules{})
			if sink := s.Visit(contents.Entry{Path: "/" + path, Size: int64(len(data))}); sink != nil {
				for rest := data; len(rest) > 0; {
					n := min(len(rest), step)
					if _, err := sink.Write(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if err := sink.Close(); err != nil {
					t.Fatal(err)
				}
			}
			return s.Report()
		}
		whole, pieces := run(len(data)+1), run(int(piece)+1)
		if whole.String() != pieces.String() {
			t.Errorf("in one piece:\n%s\nin pieces:\n%s", whole, pieces)
		}
		for _, found := range whole.Findings {
			if strings.ContainsAny(found.String(), "\n\r") {
				t.Errorf("%q is not one line", found)
			}
		}
	})
}

// FuzzConfig gives any setting and any step to the rules; a value that is taken for a secret must not be shown.
func FuzzConfig(f *testing.F) {
	f.Add("DB_PASSWORD", password, "RUN |1 A=b /bin/sh -c make")
	f.Add("URL", "postgres://app:"+password+"@prod-db.internal", "ENV A=b C=d")
	f.Add("A", "AKIA", "|9 =")
	f.Fuzz(func(t *testing.T, name, value, text string) {
		img := contents.Image{Config: contents.Config{Env: []string{name + "=" + value}}, History: []contents.Step{{Text: text, Empty: true}}}
		scan := NewScan(img, Rules{})
		for _, found := range scan.Report().Findings {
			if found.Kind == Credential && len(value) > 20 && !strings.Contains(name, value) && strings.Contains(found.Excerpt, value) {
				t.Errorf("the value stands in %q", found.Excerpt)
			}
			if strings.ContainsAny(found.String(), "\n\r") {
				t.Errorf("%q is not one line", found)
			}
		}
	})
}
