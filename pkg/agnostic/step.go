package agnostic

import (
	"regexp"
	"strings"

	"github.com/org/promote/pkg/contents"
)

// longestStep in characters is what is shown of a step.
const longestStep = 120

// argued is how builders write down the arguments that a RUN had: their number, then each with its value, then the shell.
//
//	RUN |2 TOKEN=abc ENVIRONMENT=stage /bin/sh -c make # buildkit
var argued = regexp.MustCompile(`^(?:RUN )?\|\d+ (.*)$`)

// shells begin the command behind the arguments.
var shells = []string{" /bin/sh -c ", " /bin/bash -c ", " /bin/ash -c ", " /bin/sh -", " /bin/bash -", " /bin/bash "}

// pair finds where a name and its value begin. Values may have spaces, so the next name ends one.
var pair = regexp.MustCompile(`(?:^|\s)([A-Za-z_][A-Za-z0-9_.-]*)=`)

// stepSetting is a setting in a step's text.
type stepSetting struct {
	setting
	argument bool // a build argument, not an environment variable
}

// inStep reads what a step sets: ARG and ENV, and a RUN's build arguments.
func inStep(text string) []stepSetting {
	if m := argued.FindStringSubmatch(text); m != nil {
		arguments, _ := cutShell(m[1])
		return pairs(arguments, true)
	}
	word, rest, _ := strings.Cut(contents.Instruction(text), " ")
	switch strings.ToUpper(word) {
	case "ARG":
		return pairs(rest, true)
	case "ENV":
		return pairs(rest, false)
	}
	return nil
}

// command is what a step runs or copies, "" for one that sets something.
func command(text string) string {
	if m := argued.FindStringSubmatch(text); m != nil {
		_, run := cutShell(m[1])
		return run
	}
	text = contents.Instruction(text)
	word, _, _ := strings.Cut(text, " ")
	switch strings.ToUpper(word) {
	case "ARG", "ENV", "LABEL":
		return ""
	}
	return text
}

// cutShell parts the arguments from the command; without a shell that is known, all may be arguments.
func cutShell(text string) (arguments, command string) {
	at := -1
	var shell string
	for _, s := range shells {
		if i := strings.Index(text, s); i >= 0 && (at < 0 || i < at) {
			at, shell = i, s
		}
	}
	if at < 0 {
		return text, ""
	}
	return text[:at], text[at+len(shell):]
}

func pairs(text string, argument bool) []stepSetting {
	var all []stepSetting
	found := pair.FindAllStringSubmatchIndex(text, -1)
	for i, m := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		value := strings.Trim(strings.TrimSpace(text[m[1]:end]), `"'`)
		all = append(all, stepSetting{setting{name: text[m[2]:m[3]], value: value}, argument})
	}
	return all
}

var (
	// whoever writes a secret on a command line names it before.
	secretWord = regexp.MustCompile(`(?i)((?:pass|secret|token|api-?_?key|access-?_?key|private-?_?key|credential|authorization|bearer|basic)[^\s=:]*["']?\s*[=: ]\s*["']?)((?:bearer |basic |token )?[^\s"'&|;<>]+)`)
	// loginFlag is curl's and wget's; passwordFlag is that of docker, mysql and sshpass, and means other things elsewhere.
	loginFlag    = regexp.MustCompile(`(\s(?:-u|--user|--pass)[= ])([^\s-][^\s]*)`)
	passwordFlag = regexp.MustCompile(`(?i)((?:login|mysql\w*|mariadb\w*|sshpass)\b[^&|;]*?\s-p\s?)(\S+)`)
	// quoted and echoed text is what a step writes into files.
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	echoed = regexp.MustCompile(`\b(echo|printf)\s+[^>|&;]+`)
	login  = regexp.MustCompile(`://[^\s/@]+@`)
	// random is a word long enough and mixed enough to be a secret.
	random = regexp.MustCompile(`[A-Za-z0-9+/_=-]{20,}`)
)

// maskStep is a step's text as it may be shown. What cannot be told from a secret is masked too: a step is shown so that its
// author finds it, and its beginning is enough for that.
func maskStep(text string) string {
	if text == "" {
		return ""
	}
	if argued.MatchString(text) {
		text = "RUN " + command(text)
	}
	text = contents.Instruction(text)
	word, rest, _ := strings.Cut(text, " ")
	switch strings.ToUpper(word) {
	case "ARG", "ENV", "LABEL":
		if m := pair.FindStringSubmatch(rest); m != nil {
			return strings.ToUpper(word) + " " + printable(m[1]) + "=***"
		}
		name, _, _ := strings.Cut(rest, " ")
		return strings.ToUpper(word) + " " + printable(name)
	case "COPY", "ADD":
		return shorten(login.ReplaceAllString(text, "://***@"))
	}
	text = login.ReplaceAllString(text, "://***@")
	text = quoted.ReplaceAllString(text, "'***'")
	text = echoed.ReplaceAllString(text, "$1 *** ")
	text = secretWord.ReplaceAllString(text, "${1}***")
	text = loginFlag.ReplaceAllString(text, "${1}***")
	text = passwordFlag.ReplaceAllString(text, "${1}***")
	text = random.ReplaceAllStringFunc(text, func(w string) string {
		if strings.ContainsAny(w, "0123456789") && entropy(w) > 3.3 && !strings.HasPrefix(w, "/") {
			return "***"
		}
		return w
	})
	return shorten(text)
}

// shorten makes one line of at most [longestStep] characters.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) > longestStep {
		runes = append(runes[:longestStep-1], '…')
	}
	return string(runes)
}
