package manifest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// taking measures how much memory is allocated, in bytes, and fails when it takes too long: what is tested here would end the
// runner, or never.
func taking(t *testing.T, f func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatal("it still goes on")
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// most is what any of the bombs may allocate in all; each asks for gigabytes at the least.
const most = 600 << 20

func TestBombsOfAliasesAreRefused(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 8 {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for name, text := range map[string]string{
		"one long text that is named often": "a: &a " + long + "\nb: [" + strings.Repeat("*a, ", 20_000) + "*a]\n",
		"lists of lists":                    laughs,
		"mappings merged into mappings":     "a: &a {x: " + long + "}\nb: [" + strings.Repeat("{<<: *a}, ", 20_000) + "1]\n",
		"a list that holds itself":          "a: &a [*a]\n",
	} {
		t.Run(name, func(t *testing.T) {
			used := taking(t, func() {
				if _, err := ParseValues(text, ""); err == nil || !strings.Contains(err.Error(), "16 MiB") && !strings.Contains(err.Error(), "contains itself") {
					t.Errorf("values: got %.200v", err)
				}
				_, err := Render(files("app.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")), input)
				if err == nil || !strings.Contains(err.Error(), "app.yaml") {
					t.Errorf("a template: got %.200v", err)
				}
			})
			if used > most {
				t.Errorf("it took %d MiB", used>>20)
			}
		})
	}
	t.Run("aliases as people write them are read", func(t *testing.T) {
		got, err := ParseValues("a: &a {x: 1}\nb: *a\nc: {<<: *a, z: 2}\ncron: '*/5 * * * *'\nshell: a && b\n", "")
		if err != nil || fmt.Sprint(got["b"]) != "map[x:1]" || fmt.Sprint(got["c"]) != "map[x:1 z:2]" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestTemplatesCannotFillTheMemoryOrGoOnForEver(t *testing.T) {
	twice := func(what string) string { return "{{ $l := " + what + " }}{{ range until 60 }}{{ $l = " }
	for name, test := range map[string]struct{ text, want string }{
		"counting far":                     {"{{ len (until 1000000000) }}", "until would give more than 16 MiB"},
		"counting past the largest number": {"{{ len (untilStep 0 9223372036854775807 9223372036854775806) }}", "a number beyond what can be counted to"},
		"a sequence":                       {"{{ len (seq 1 1000000000) }}", "seq would give more than 16 MiB"},
		"repeating":                        {`{{ repeat 1000000000 "xxxxxxxx" }}`, "repeat would give more than 16 MiB"},
		"indenting":                        {`{{ "a" | indent 1000000000 }}`, "indent would give more than 16 MiB"},
		"indenting many lines":             {`{{ repeat 1000000 "\n" | nindent 100000 }}`, "nindent would give more than 16 MiB"},
		"replacing nothing by much":        {`{{ $m := repeat 1000000 "x" }}{{ replace "" $m $m }}`, "replace would give more than 16 MiB"},
		"replacing by a pattern":           {`{{ $m := repeat 100000 "x" }}{{ regexReplaceAll "x" $m $m }}`, "regexReplaceAll would give more than 16 MiB"},
		"joining with much":                {`{{ $m := repeat 1000000 "x" }}{{ join $m (until 100000) }}`, "join would give more than 16 MiB"},
		"a text that doubles":              {twice(`"xxxxxxxx"`) + "print $l $l }}{{ end }}", "more than 16 MiB"},
		"a text that doubles otherwise":    {twice(`"xxxxxxxx"`) + "cat $l $l }}{{ end }}", "more than 16 MiB"},
		"a list that doubles":              {twice("list 1") + "concat $l $l }}{{ end }}", "more than 16 MiB"},
		"lists that hold lists twice":      {twice("list 1") + "list $l $l }}{{ end }}{{ $l }}", "more than 16 MiB"},
		"printing one text often":          {`{{ $m := repeat 10000000 "x" }}{{ printf "%s%s%s" $m $m $m | len }}`, "more than 16 MiB"},
		"a loop that writes nothing":       {"{{ range 1000000000000 }}{{ end }}", "is there a range that does not end?"},
		"a loop that only thinks":          {"{{ range 1000000000000 }}{{ $x := 1 }}{{ end }}", "is there a range that does not end?"},
		"templates that call two each": {func() string {
			text := `{{ define "t0" }}{{ end }}`
			for i := range 60 {
				text += fmt.Sprintf(`{{ define "t%d" }}{{ template "t%d" }}{{ template "t%d" }}{{ end }}`, i+1, i, i)
			}
			return text + `{{ template "t60" }}`
		}(), "is there a range that does not end?"},
	} {
		t.Run(name, func(t *testing.T) {
			used := taking(t, func() {
				if _, err := Render(files("app.yaml", test.text), input); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %.300v\nwant %s", err, test.want)
				}
			})
			if used > most {
				t.Errorf("it took %d MiB", used>>20)
			}
		})
	}
	t.Run("many files together are bounded as one is", func(t *testing.T) {
		var all []string
		for i := range 20 {
			all = append(all, fmt.Sprintf("%d.yaml", i), `# {{ repeat 1000000 "x" }}`)
		}
		if _, err := Render(files(all...), input); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("got %.300v", err)
		}
	})
}
