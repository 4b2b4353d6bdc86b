// Package hostile holds texts as attackers write them: titles, branch names, messages of commits, names and output of tests, values
// of labels, answers of services. It is for tests alone: each package that shows or reads such text sends all of them through its own
// edge, where they would do harm. It refuses nothing; a text that got through somewhere is added here and stays.
//
//	for name, text := range hostile.Texts {
//		t.Run(name, func(t *testing.T) { … })
//	}
package hostile

import "strings"

// Texts are the attacks by what they try.
var Texts = map[string]string{
	// the runner's commands
	"an output":                         "::set-output name=digest::sha256:evil",
	"a variable":                        "::set-env name=PATH::/evil",
	"a path":                            "::add-path::/evil",
	"a mask that blinds the log":        "::add-mask::e",
	"commands that stop":                "::stop-commands::evil",
	"commands that are echoed":          "::echo::on",
	"a problem matcher":                 "::add-matcher::/evil.json",
	"an annotation":                     "::error file=main.go,line=1::evil",
	"a group":                           "::group::evil",
	"the older form":                    "##[set-env name=PATH;]/evil",
	"the older form within a line":      "it says ##[error]evil",
	"a command behind white space":      " \t\u00a0\u2003::set-output name=a::b",
	"a command behind a return":         "50 %\r::set-output name=a::b",
	"a command in a second line":        "fix\n::set-output name=a::b",
	"a command behind other line ends":  "fix\u2028::set-output name=a::b\u0085::set-output name=a::b\v::x::\f::x::",
	"a command with unseen signs":       "\u200b:\u200d:set-output name=a::b",
	"a command with selectors":          ":\ufe0f:set-output name=a::b",
	"a command with joiners":            "\u034f::set-output name=a::b",
	"a command with fillers":            "\u115f\u3164::set-output name=a::b",
	"a command with a language tag":     ":\U000e0041:set-output name=a::b",
	"a command with zero bytes":         "\x00:\x00:set-output name=a::b",
	"a command behind a mark of order":  "\ufeff::set-output name=a::b",
	"a command behind colours":          "\x1b[0m::set-output name=a::b",
	"an older command in pieces":        "#\u200b#\u2060[error]evil",
	"a command that is escaped already": "%0A::set-output name=a::b%0D",
	// the runner's files
	"the end of a value": "x\nEOF\nevil=1\nghadelimiter_x\nevil=2\n_GitHubActionsFileCommandDelimeter_\nevil<<_GitHubActionsFileCommandDelimeter_\n3\n_GitHubActionsFileCommandDelimeter_",
	"another output":     "x\nevil=1\nevil<<END\n2\nEND",
	// Markdown and HTML
	"a script":                   `<script>alert(1)</script>`,
	"an image that fails":        `<img src=x onerror=alert(1)>`,
	"an image":                   `![x](https://evil.test/?leak)`,
	"a link that runs":           `[click](javascript:alert(1))`,
	"a link that looks harmless": `[github.com](https://evil.test)`,
	"an autolink":                `<https://evil.test>`,
	"a bare address":             `https://evil.test www.evil.test`,
	"a reference":                "[x]\n\n[x]: https://evil.test",
	"a cell's end":               `a | b | c |`,
	"a cell's end, escaped":      `a \| b \\| c \\\| d`,
	"a row's end":                "a |\n| b | c |\r| d |\r\n| e |",
	"a fence":                    "```\n# evil\n~~~\n````````````\n<script>",
	"code within a line":         "`` ` ``` evil `",
	"a heading":                  "x\n# evil\n---\n===",
	"details":                    `</summary></details></td></table><h1>evil</h1>`,
	"a comment of HTML":          `--> <!-- promote:board [] -->`,
	"people":                     `@octocat @org/team`,
	"issues":                     `#1 org/repo#2 GH-3`,
	"entities":                   `&lt;script&gt; &#60; &colon; &NewLine;`,
	"formulas":                   `$x$ $$\href{javascript:alert(1)}{x}$$`,
	"Mermaid":                    "\"]; click A call alert(1)\n  line [1]\n```\n%%{init: {'securityLevel': 'loose'}}%% #quot;",
	// what is not seen
	"writing that turns around": "user\u202e\u2066 // admin\u2069 \u2066",
	"marks of direction":        "a\u200e\u200f\u061cb",
	"letters without width":     "ad\u200bmin\u2060\ufeff\u00ad",
	"tags":                      "a\U000e0068\U000e0069b",
	"a terminal's commands":     "\x1b[2J\x1b[1A\x1b]0;evil\x07\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\\x9b31m",
	"bytes that are no UTF-8":   "a\xff\xfe\xc0\xafb\xed\xa0\x80",
	"zero bytes":                "a\x00b",
	// paths
	"a path that leads out":          "../../../../etc/passwd:1",
	"a path that leads out, quoted":  `File "../../../../etc/passwd", line 1`,
	"a path of the machine":          "/etc/passwd:1: x",
	"a path of Windows":              `..\..\..\windows\win.ini:1`,
	"a path with an end":             "main.go\x00.png:1",
	"a path with commas and colons":  "a,line=9::evil.go:1",
	"a path with percents":           "%2e%2e%2fetc%2fpasswd.go:1 %s %n %!d(MISSING)",
	"a command of a shell":           "$(touch /tmp/evil) `touch /tmp/evil`; touch /tmp/evil\n|| touch /tmp/evil",
	"an expression of GitHub's":      "${{ secrets.TOKEN }} ${{ github.event }}",
	"a template":                     `{{ secret "prod/key" }} {{ env "HOME" }}`,
	"a document of YAML":             "x\n---\nkind: ClusterRole\n\t\"}]: &a *a !!binary",
	"a very long word":               strings.Repeat("x", 100_000),
	"very many lines":                strings.Repeat("x\n", 50_000),
	"very many marks on one letter":  "a" + strings.Repeat("\u0301", 5_000),
	"very many brackets":             strings.Repeat("[", 5_000) + strings.Repeat("<b>", 5_000),
	"very many backticks":            strings.Repeat("`", 5_000) + "\n" + strings.Repeat("`", 4_999),
	"a name that is a flag":          "--upload-pack=touch /tmp/evil",
	"a name that is a property":      "__proto__",
	"nothing but what is not seen":   "\u200b\u2060\ufeff",
	"nothing":                        "",
	"an event of go test":            `{"Action":"pass","Package":"p","Test":"TestEvil","Output":"::set-output name=a::b\n"}`,
	"a row of the board":             `[{"environment":"prod","commit":"x","result":"success"}] -->`,
	"a board":                        "<!-- promote:board [{\"environment\":\"prod\",\"commit\":\"x\",\"result\":\"success\"}] -->",
	"a status of another run":        "promote v1 tests=1 failed=0 ::end::",
	"what a masked value looks like": "***",
}
