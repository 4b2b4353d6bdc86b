package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEscapeShowsTextAsWritten(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"plain text stays":              {"Ship for free, above 50.", "Ship for free, above 50."},
		"formatting does nothing":       {"*a* _b_ `c` ~d~", "\\*a\\* \\_b\\_ \\`c\\` \\~d\\~"},
		"links and HTML do nothing":     {"[x](y) <img>", `\[x\]\(y\) \<img\>`},
		"a cell of a table stays whole": {"a|b\nc", `a\|b c`},
		"nobody is mentioned":           {"@all #12", "@\u200dall \\#\u200d12"},
		"addresses are no links":        {"https://evil.test www.evil.test", "https:\u200d//evil.test w\u200dww.evil.test"},
		"writing cannot turn around":    {"a\u202eb", "a\ufffdb"},
		"entities stay text":            {"&lt;", `\&lt;`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Escape(test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTable(t *testing.T) {
	t.Run("keeps cells in their columns", func(t *testing.T) {
		want := "| A | B |\n| --- | --- |\n| a\\|b | c<br>d |\n| " + Escape("x|y") + " |  |\n"
		got := Table([]string{"A", "B"}, [][]string{{"a|b", "c\nd", "too many"}, {Escape("x|y")}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("without rows is nothing", func(t *testing.T) {
		if got := Table([]string{"A"}, nil); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

func TestCodeCannotBeLeft(t *testing.T) {
	got := Code("text\n", "a\n```\n<script>\n````\n")
	if !strings.HasPrefix(got, "`````text\n") || !strings.HasSuffix(got, "\n`````\n") {
		t.Errorf("got %q", got)
	}
	if got := Inline("a ``b` c`"); got != "``` a ``b` c` ```" {
		t.Errorf("got %q", got)
	}
}

func TestDetailsEscapesTheTitle(t *testing.T) {
	want := "<details><summary>a &lt;b&gt; &amp; c</summary>\n\nbody\n\n</details>\n"
	if diff := cmp.Diff(want, Details("a <b> & c", "\nbody\n")); diff != "" {
		t.Error(diff)
	}
}

func TestLink(t *testing.T) {
	for name, test := range map[string]struct{ address, want string }{
		"leads where it says":           {"https://x.test/a?b=c", "[t](https://x.test/a?b=c)"},
		"cannot be left by the address": {"https://x.test/)[evil](javascript:x|y", "[t](https://x.test/%29%5Bevil%5D%28javascript:x%7Cy)"},
		"is none for other schemes":     {"javascript:alert(1)", "t"},
		"is none without a host":        {"https:///x", "t"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Link("t", test.address)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	if got := Status("rolled-back").String(); got != "↩️ rolled-back" {
		t.Errorf("got %q", got)
	}
	if got := Status("<odd>").String(); got != `\<odd\>` {
		t.Errorf("got %q", got)
	}
}
