package agnostic

import (
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/org/promote/pkg/contents"
)

// setting is a named value in an image's config or history.
type setting struct {
	where string // for Finding.Config
	name  string
	value string
	step  string // the history's entry that set it, unmasked
}

// inHistory is [Finding.Config] of what a step's own text says.
const inHistory = "history"

// config looks at everything that is no file.
func (s *Scan) config() []Finding {
	var found []Finding
	seen := map[string]bool{}
	add := func(f Finding) {
		key := f.Config + " " + string(f.Kind)
		if f.Config == inHistory {
			key += f.Step
		}
		if !seen[key] {
			seen[key] = true
			found = append(found, f)
		}
	}
	for _, one := range s.settings() {
		for _, f := range s.judge(one) {
			f.Config, f.Name, f.Step = one.where, one.name, maskStep(one.step)
			add(f)
		}
	}
	for where, words := range map[string][]string{
		"entrypoint": s.image.Config.Entrypoint, "command": s.image.Config.Command, "healthcheck": s.image.Config.Healthcheck,
	} {
		for _, f := range s.judgeText(strings.Join(words, " "), true) {
			f.Config = where
			add(f)
		}
	}
	for _, name := range sorted(s.image.Config.Labels) {
		for _, f := range s.judgeText(s.image.Config.Labels[name], false) {
			f.Config, f.Name = "label "+printable(name), name
			add(f)
		}
	}
	for _, step := range s.image.History {
		for _, f := range s.judgeText(command(step.Text), false) {
			f.Config, f.Step = inHistory, maskStep(step.Text)
			add(f)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return strings.Compare(a.Config, b.Config) })
	return found
}

// settings are environment variables, and what the history keeps of ARG, ENV and the arguments of RUN.
func (s *Scan) settings() []setting {
	var all []setting
	now := map[string]bool{}
	for _, entry := range s.image.Config.Env {
		name, value, _ := strings.Cut(entry, "=")
		now[entry] = true
		all = append(all, setting{where: "env " + printable(name), name: name, value: value, step: setBy(s.image.History, name)})
	}
	for _, step := range s.image.History {
		for _, one := range inStep(step.Text) {
			switch {
			case one.argument:
				one.where = "build argument " + printable(one.name)
			case now[one.name+"="+one.value]:
				continue // told already
			default:
				one.where = "env " + printable(one.name) + " of an earlier step"
			}
			one.step = step.Text
			all = append(all, one.setting)
		}
	}
	return all
}

// setBy finds the last step that set a variable.
func setBy(history []contents.Step, name string) string {
	for _, step := range slices.Backward(history) {
		for _, one := range inStep(step.Text) {
			if !one.argument && one.name == name {
				return step.Text
			}
		}
	}
	return ""
}

// secretNames end the names of variables that hold one.
var secretNames = regexp.MustCompile(`(?i)(PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_?KEY|SECRET_KEY_BASE|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?|AUTH)$`)

// environmentNames are of variables that say which environment this is.
var environmentNames = regexp.MustCompile(`(?i)(^|[_.-])(ENV|ENVIRONMENT|ENVIRONMENT_NAME|ENV_NAME|STAGE|PROFILE|PROFILES_ACTIVE|TIER)$`)

// frameworkModes are variables that choose how a framework runs, and not where: every environment runs in production mode.
var frameworkModes = []string{
	"NODE_ENV", "BABEL_ENV", "RAILS_ENV", "RACK_ENV", "MIX_ENV", "FLASK_ENV", "HANAMI_ENV", "GATSBY_ENV", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT",
}

// hostNames end the names of variables that hold a host.
var hostNames = regexp.MustCompile(`(?i)(HOST|HOSTS|HOSTNAME|URL|URI|DSN|ENDPOINTS?|ADDR|ADDRESS|SERVERS?|BROKERS?|DOMAIN|ORIGIN|UPSTREAM)$`)

// judge says what is wrong with a variable, one finding of a kind at most.
func (s *Scan) judge(v setting) []Finding {
	found := s.judgeText(v.value, true)
	has := func(kind Kind) bool {
		return slices.ContainsFunc(found, func(f Finding) bool { return f.Kind == kind })
	}
	add := func(kind Kind, excerpt string) {
		if !has(kind) {
			found = append(found, Finding{Kind: kind, Excerpt: excerpt})
		}
	}
	name := printable(v.name)
	upper := strings.ToUpper(v.name)
	switch {
	case strings.HasPrefix(upper, "AWS_SECRET") && isAWSSecret(v.value):
		add(AWSSecretKey, name+"=***")
	case secretNames.MatchString(v.name) && isSecretValue(v.value) && len(found) == 0:
		add(Credential, name+"=***")
	}
	for value := range strings.SplitSeq(v.value, ",") {
		value = strings.TrimSpace(value)
		mode := slices.Contains(frameworkModes, upper) && slices.Contains([]string{"prod", "production"}, strings.ToLower(value))
		if environmentNames.MatchString(v.name) && s.hosts.isEnvironment(value) && !mode {
			add(EnvironmentName, name+"="+strings.ToLower(value))
		}
	}
	for _, word := range strings.FieldsFunc(v.value, func(r rune) bool { return strings.ContainsRune(" ,;\t", r) }) {
		if strings.Contains(word, "://") {
			continue
		}
		word, _, _ = strings.Cut(word, "/")
		if host, _, err := net.SplitHostPort(word); err == nil {
			word = host
		}
		if looksLikeHost(word, hostNames.MatchString(v.name)) && s.hosts.environment(word) != "" {
			add(Endpoint, name+"="+strings.ToLower(word))
		}
	}
	return found
}

// isSecretValue says whether a value may be a secret: not a file's name, a switch, a number of seconds, or a placeholder.
func isSecretValue(value string) bool {
	return len(value) >= 4 && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "./") && !isPlaceholder(value) &&
		strings.Trim(value, "0123456789smh") != ""
}

// judgeText looks for what has a shape of its own. Hosts of environments count where the service reads the text.
func (s *Scan) judgeText(text string, endpoints bool) []Finding {
	var found []Finding
	add := func(kind Kind, excerpt string) {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Kind == kind }) {
			found = append(found, Finding{Kind: kind, Excerpt: excerpt})
		}
	}
	data := []byte(text)
	privateKeys(data, func(_ int, label string) { add(PrivateKey, "-----BEGIN "+printable(label)+"-----***") })
	findTokens(data, func(_ int, t token) { add(t.kind, t.begin+"***") })
	findAWSSecrets(data, func(int) { add(AWSSecretKey, "secret access key = ***") })
	addresses(data, func(_ int, a address) {
		environment := s.hosts.environment(a.host)
		// A password that reads like a placeholder is one, unless it is that of a real environment's host.
		if a.login && !a.isLocal() && (!a.placeholder || environment != "") {
			add(Credential, a.String())
		}
		if endpoints && environment != "" {
			add(Endpoint, a.String())
		}
	})
	return found
}

func sorted(labels map[string]string) []string {
	var names []string
	for name := range labels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
