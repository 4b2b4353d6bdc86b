package demo

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/lab/runner"
	"github.com/org/promote/lab/show"
)

func TestACanaryWhoseReportWasNotUploadedIsAnError(t *testing.T) {
	const uploads = "jobs: {a: {steps: [{uses: actions/upload-artifact@v7}]}}"
	for name, test := range map[string]struct {
		workflow string
		artifact map[string]string
		want     string
	}{
		"both files":                 {uploads, map[string]string{"report.html": "<p>", "run.json": "{}"}, ""},
		"nothing":                    {uploads, nil, "workflow w.yml had a canary and uploaded 0 files report.html, not one"},
		"the page alone":             {uploads, map[string]string{"report.html": "<p>"}, "workflow w.yml had a canary and uploaded 0 files run.json, not one"},
		"another page":               {uploads, map[string]string{"report.html": "<b>", "run.json": "{}"}, "workflow w.yml uploaded another report.html than its canary wrote"},
		"a workflow without uploads": {"jobs: {a: {steps: [{run: x}]}}", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{dir: t.TempDir(), canaries: []show.Canary{{Run: 8, Report: "reports/none/report.html"}, {Run: 9, Report: "reports/9/report.html"}}}
			write(t, filepath.Join(s.dir, "reports/9/report.html"), "<p>")
			write(t, filepath.Join(s.dir, "reports/9/run.json"), "{}")
			for file, text := range test.artifact {
				write(t, filepath.Join(s.dir, "run", runner.Artifacts, "canary-1", file), text)
			}
			w, err := runner.Parse("w.yml", []byte(test.workflow))
			if err != nil {
				t.Fatal(err)
			}
			err = s.uploaded(w, 9, filepath.Join(s.dir, "run"))
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
